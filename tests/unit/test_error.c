#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

static void test_error_carries_the_sentence_and_returns_the_code(void **state)
{
    (void)state;
    struct error err;

    assert_int_equal(error_set(&err, -EINVAL, "bad value '%s' for %s", "x", "--workers"), -EINVAL);
    assert_string_equal(err.text, "bad value 'x' for --workers");
}

static void test_long_sentence_is_cut_and_still_ends(void **state)
{
    (void)state;
    struct error err;
    char text[2000];

    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(error_set(&err, -E2BIG, "%s", text), -E2BIG);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_carries_the_sentence_and_returns_the_code),
        cmocka_unit_test(test_long_sentence_is_cut_and_still_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
