#include "config/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>

static void test_durations_are_read_in_every_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t us;
    } rows[] = {{"200us", 200},    {"5ms", 5000},       {"1s", 1000000},
                {"2m", 120000000}, {"1h", 3600000000u}, {"0", 0},
                {"0s", 0},         {"007ms", 7000},     {"5124095576h", UINT64_C(5124095576) * 3600000000u}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t us = 1;
        assert_int_equal(value_parse_duration(rows[i].text, &us), 0);
        assert_true(us == rows[i].us);
    }
}

static void test_what_is_no_duration_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "1",  "s",  "-1s",  "+1s", " 1s", "1s ",
                                      "1.5s",       "1d", "1S", "0x1s", "1 s", "1ss", "99999999999999999999s",
                                      "5124095577h"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint64_t us = 77;
        assert_true(value_parse_duration(bad[i], &us) < 0);
        assert_int_equal(us, 77);
    }
}

static void test_a_number_too_large_is_erange_not_einval(void **state)
{
    (void)state;
    uint64_t value;
    assert_int_equal(value_parse_count("18446744073709551615", &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(value_parse_count("18446744073709551616", &value), -ERANGE);
    assert_int_equal(value_parse_size("17179869184G", &value), -ERANGE);
    assert_int_equal(value_parse_count("1k", &value), -EINVAL);
}

static void test_sizes_are_powers_of_1024(void **state)
{
    (void)state;
    uint64_t bytes;
    assert_int_equal(value_parse_size("512", &bytes), 0);
    assert_int_equal(bytes, 512);
    assert_int_equal(value_parse_size("64k", &bytes), 0);
    assert_int_equal(bytes, 65536);
    assert_int_equal(value_parse_size("10M", &bytes), 0);
    assert_int_equal(bytes, 10485760);
    assert_int_equal(value_parse_size("64K", &bytes), -EINVAL);
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 999, 1000, 1500, 1000000, 90000000, 3600000000u, UINT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char text[VALUE_TEXT_BYTES];
        uint64_t back = 1;
        value_format_duration(values[i], text);
        assert_int_equal(value_parse_duration(text, &back), 0);
        assert_true(back == values[i]);
        value_format_size(values[i], text);
        assert_int_equal(value_parse_size(text, &back), 0);
        assert_true(back == values[i]);
    }
}

static void test_the_shortest_unit_is_written(void **state)
{
    (void)state;
    char text[VALUE_TEXT_BYTES];
    value_format_duration(90000000, text);
    assert_string_equal(text, "90s");
    value_format_duration(7200000000u, text);
    assert_string_equal(text, "2h");
    value_format_size(65536, text);
    assert_string_equal(text, "64k");
}

static void test_addresses_of_both_families_are_read_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[fe80::1:2]:8080"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct address address;
        char text[VALUE_TEXT_BYTES];
        assert_int_equal(value_parse_address(texts[i], &address), 0);
        value_format_address(&address.socket, text);
        assert_string_equal(text, texts[i]);
    }
}

static void test_what_is_no_numeric_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      ":80",
                                      "localhost:80",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "::1:80x",
                                      "[::1]",
                                      "[::1:80",
                                      "1.2.3:80",
                                      "[127.0.0.1]:80",
                                      "127.0.0.1:-1",
                                      "::1:80",
                                      "127.0.0.1:80 ",
                                      "[]:80",
                                      "1111111111111111111111111111111111111111111111111111111111111:1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct address address;
        assert_int_equal(value_parse_address(bad[i], &address), -EINVAL);
    }
}

static void test_a_port_can_be_replaced(void **state)
{
    (void)state;
    struct address address;
    char text[VALUE_TEXT_BYTES];
    assert_int_equal(value_parse_address("[::1]:0", &address), 0);
    address_set_port(&address.socket, 4711);
    assert_int_equal(address_port(&address.socket), 4711);
    value_format_address(&address.socket, text);
    assert_string_equal(text, "[::1]:4711");
}

static void test_a_choice_is_its_index_and_taken_whole(void **state)
{
    (void)state;
    uint32_t index = 9;
    assert_int_equal(value_parse_choice("a", "a|bb|c", &index), 0);
    assert_int_equal(index, 0);
    assert_int_equal(value_parse_choice("c", "a|bb|c", &index), 0);
    assert_int_equal(index, 2);
    assert_int_equal(value_parse_choice("b", "a|bb|c", &index), -EINVAL);
    assert_int_equal(value_parse_choice("a|bb", "a|bb|c", &index), -EINVAL);
    assert_int_equal(value_parse_choice("", "a|bb|c", &index), -EINVAL);
    assert_int_equal(index, 2);
}

static void test_a_bool_may_be_on_off_yes_no_true_or_false(void **state)
{
    static const char *const words[2][3] = {{"off", "no", "false"}, {"on", "yes", "true"}};
    (void)state;
    for (int i = 0; i < 6; i++) {
        bool value = i % 2 == 0;
        assert_int_equal(value_parse_bool(words[i % 2][i / 2], &value), 0);
        assert_int_equal(value, i % 2);
    }
    bool untouched = true;
    assert_int_equal(value_parse_bool("maybe", &untouched), -EINVAL);
    assert_true(untouched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_are_read_in_every_unit),
        cmocka_unit_test(test_what_is_no_duration_leaves_the_output_alone),
        cmocka_unit_test(test_a_number_too_large_is_erange_not_einval),
        cmocka_unit_test(test_sizes_are_powers_of_1024),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_the_shortest_unit_is_written),
        cmocka_unit_test(test_addresses_of_both_families_are_read_back),
        cmocka_unit_test(test_what_is_no_numeric_address_is_refused),
        cmocka_unit_test(test_a_port_can_be_replaced),
        cmocka_unit_test(test_a_choice_is_its_index_and_taken_whole),
        cmocka_unit_test(test_a_bool_may_be_on_off_yes_no_true_or_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
