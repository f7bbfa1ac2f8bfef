#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHAR_BYTES(literal) utf8_char_bytes(SLICE(literal))

static void test_first_and_last_character_of_each_length_are_well_formed(void **state)
{
    (void)state;
    assert_int_equal(CHAR_BYTES("\0"), 1);
    assert_int_equal(CHAR_BYTES("\x7f"), 1);
    assert_int_equal(CHAR_BYTES("\xc2\x80"), 2);
    assert_int_equal(CHAR_BYTES("\xdf\xbf"), 2);
    assert_int_equal(CHAR_BYTES("\xe0\xa0\x80"), 3);
    assert_int_equal(CHAR_BYTES("\xed\x9f\xbf"), 3);
    assert_int_equal(CHAR_BYTES("\xef\xbf\xbf"), 3);
    assert_int_equal(CHAR_BYTES("\xf0\x90\x80\x80"), 4);
    assert_int_equal(CHAR_BYTES("\xf4\x8f\xbf\xbf"), 4);
}

static void test_overlong_surrogate_and_too_large_are_ill_formed(void **state)
{
    (void)state;
    assert_int_equal(CHAR_BYTES("\xc0\x80"), 0);
    assert_int_equal(CHAR_BYTES("\xc1\xbf"), 0);
    assert_int_equal(CHAR_BYTES("\xe0\x9f\xbf"), 0);
    assert_int_equal(CHAR_BYTES("\xed\xa0\x80"), 0);
    assert_int_equal(CHAR_BYTES("\xf0\x8f\xbf\xbf"), 0);
    assert_int_equal(CHAR_BYTES("\xf4\x90\x80\x80"), 0);
    assert_int_equal(CHAR_BYTES("\xf5\x80\x80\x80"), 0);
    assert_int_equal(CHAR_BYTES("\xff"), 0);
}

static void test_stray_and_missing_continuation_are_ill_formed(void **state)
{
    (void)state;
    assert_int_equal(CHAR_BYTES("\x80"), 0);
    assert_int_equal(CHAR_BYTES("\xc3("), 0);
    assert_int_equal(CHAR_BYTES("\xe2\x82("), 0);
    assert_int_equal(CHAR_BYTES("\xf0\x9f\x98("), 0);
    assert_int_equal(CHAR_BYTES("\xf0\x9f(\x80"), 0);
}

static void test_every_cut_of_a_character_is_ill_formed(void **state)
{
    (void)state;
    const char face[] = "\xf0\x9f\x98\x80";

    for (size_t bytes = 0; bytes < 4; bytes++)
        assert_int_equal(utf8_char_bytes((struct slice){face, bytes}), 0);
    assert_int_equal(utf8_char_bytes((struct slice){NULL, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_last_character_of_each_length_are_well_formed),
        cmocka_unit_test(test_overlong_surrogate_and_too_large_are_ill_formed),
        cmocka_unit_test(test_stray_and_missing_continuation_are_ill_formed),
        cmocka_unit_test(test_every_cut_of_a_character_is_ill_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
