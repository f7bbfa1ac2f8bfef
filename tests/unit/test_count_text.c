#include "forms/count_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(int64_t count, enum count_format format, const char *wanted)
{
    struct buf out = {0};
    count_append(&out, count, format);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, wanted);
    buf_fini(&out);
}

static void test_short_has_one_decimal_and_says_never_too_much(void **state)
{
    (void)state;
    static const struct {
        int64_t count;
        const char *text;
    } rows[] = {{0, "0"},
                {999, "999"},
                {1000, "1k"},
                {1099, "1k"},
                {1100, "1.1k"},
                {12345, "12.3k"},
                {999999, "999.9k"},
                {1000000, "1M"},
                {246912345, "246.9M"},
                {7200000000, "7.2G"},
                {INT64_MAX, "9.2E"},
                {-1500, "-1.5k"},
                {INT64_MIN, "-9.2E"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_text(rows[i].count, COUNT_SHORT, rows[i].text);
}

static void test_grouped_digits_have_a_comma_every_three(void **state)
{
    (void)state;
    assert_text(0, COUNT_GROUPED, "0");
    assert_text(999, COUNT_GROUPED, "999");
    assert_text(1000, COUNT_GROUPED, "1,000");
    assert_text(246912345, COUNT_GROUPED, "246,912,345");
    assert_text(-12345, COUNT_GROUPED, "-12,345");
    assert_text(INT64_MIN, COUNT_DIGITS, "-9223372036854775808");
}

static void test_formats_are_chosen_by_name(void **state)
{
    (void)state;
    enum count_format format = COUNT_DIGITS;
    assert_false(count_format_parse(SLICE("long"), &format) || count_format_parse(SLICE(""), &format));
    assert_int_equal(format, COUNT_DIGITS);
    assert_true(count_format_parse(SLICE("short"), &format));
    assert_int_equal(format, COUNT_SHORT);
    assert_true(count_format_parse(SLICE("grouped"), &format));
    assert_int_equal(format, COUNT_GROUPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_has_one_decimal_and_says_never_too_much),
        cmocka_unit_test(test_grouped_digits_have_a_comma_every_three),
        cmocka_unit_test(test_formats_are_chosen_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
