#include "config/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_the_same_word_has_distance_zero(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("flush-interval", "flush-interval"), 0);
    assert_int_equal(suggest_distance("", ""), 0);
}

static void test_each_slip_of_the_hand_counts_one(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("listn", "listen"), 1);   /* left out */
    assert_int_equal(suggest_distance("listenn", "listen"), 1); /* twice */
    assert_int_equal(suggest_distance("lusten", "listen"), 1);  /* another */
    assert_int_equal(suggest_distance("lsiten", "listen"), 1);  /* swapped */
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("admin", "redis"), suggest_distance("redis", "admin"));
}

static void test_long_words_do_not_overrun(void **state)
{
    (void)state;
    char long_word[400];
    memset(long_word, 'x', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    assert_int_equal(suggest_distance(long_word, "x"), SUGGEST_BYTES_MAX - 1);
    assert_int_equal(suggest_distance("x", long_word), SUGGEST_BYTES_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_word_has_distance_zero),
        cmocka_unit_test(test_each_slip_of_the_hand_counts_one),
        cmocka_unit_test(test_long_words_do_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
