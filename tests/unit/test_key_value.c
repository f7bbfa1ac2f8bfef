#include "nodes/key_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum key_value held(const char *text, int64_t *value)
{
    return key_value_read(&(struct reply){.type = REPLY_STRING, .text = {text, strlen(text)}}, value);
}

static void test_an_integer_is_what_incrby_takes_and_nothing_else(void **state)
{
    static const char *const others[] = {"+1",
                                         "01",
                                         "-0",
                                         "-",
                                         " 1",
                                         "1 ",
                                         "1e3",
                                         "12 apples",
                                         "9223372036854775808",
                                         "-9223372036854775809",
                                         "99999999999999999999",
                                         "123456789012345678901"};
    int64_t value;
    (void)state;

    assert_int_equal(held("0", &value), KEY_VALUE_INTEGER);
    assert_int_equal(value, 0);
    assert_int_equal(held("9223372036854775807", &value), KEY_VALUE_INTEGER);
    assert_true(value == INT64_MAX);
    assert_int_equal(held("-9223372036854775808", &value), KEY_VALUE_INTEGER);
    assert_true(value == INT64_MIN);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(held(others[i], &value), KEY_VALUE_NO_INTEGER);
}

static void test_what_is_no_integer_has_a_reason_and_the_value_nought(void **state)
{
    int64_t value = 7;
    (void)state;

    assert_int_equal(held("", &value), KEY_VALUE_NONE);
    assert_int_equal(value, 0);
    assert_int_equal(key_value_read(&(struct reply){.type = REPLY_ERROR, .text = SLICE("WRONGTYPE Operation")}, &value),
                     KEY_VALUE_WRONG_TYPE);
    assert_int_equal(key_value_read(&(struct reply){.type = REPLY_ERROR, .text = SLICE("NOPERM no")}, &value),
                     KEY_VALUE_UNTOLD);
    assert_int_equal(key_value_read(&(struct reply){.type = REPLY_STATUS, .text = SLICE("QUEUED")}, &value),
                     KEY_VALUE_UNTOLD);
    assert_int_equal(key_value_read(&(struct reply){.type = REPLY_NIL}, &value), KEY_VALUE_UNTOLD);
}

static void test_the_command_reads_one_byte_more_than_an_integer_has(void **state)
{
    struct buf out = {0}, scratch = {0};
    (void)state;

    key_value_append(&out, &scratch, SLICE("t:"), SLICE("n/a"));
    key_value_append(&out, &scratch, SLICE("t:"), SLICE("n/b"));
    assert_true(slice_equals(buf_slice(&out), SLICE("*4\r\n$8\r\nGETRANGE\r\n$5\r\nt:n:a\r\n$1\r\n0\r\n$2\r\n20\r\n"
                                                    "*4\r\n$8\r\nGETRANGE\r\n$5\r\nt:n:b\r\n$1\r\n0\r\n$2\r\n20\r\n")));
    buf_fini(&scratch);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_integer_is_what_incrby_takes_and_nothing_else),
        cmocka_unit_test(test_what_is_no_integer_has_a_reason_and_the_value_nought),
        cmocka_unit_test(test_the_command_reads_one_byte_more_than_an_integer_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
