#include "api/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_one_sample_has_no_pace(void **state)
{
    (void)state;
    struct pace p = {0};
    assert_int_equal(pace_tenths(&p), 0);
    pace_add(&p, 1000, 5);
    assert_int_equal(pace_tenths(&p), 0);
}

static void test_a_steady_number_grows_by_what_it_grows_also_when_samples_are_forgotten(void **state)
{
    (void)state;
    struct pace p = {0};
    for (uint64_t s = 0; s < 50; s++) {
        pace_add(&p, (int64_t)(7 * s), 1000 * s);
        assert_int_equal(pace_tenths(&p), s == 0 ? 0 : 70);
    }
}

static void test_hits_are_forgotten_after_the_span(void **state)
{
    (void)state;
    struct pace p = {0};
    pace_add(&p, 0, 0);
    for (uint64_t s = 1; s <= PACE_SPAN_S; s++) {
        pace_add(&p, 30, 1000 * s);
        assert_int_equal(pace_tenths(&p), (300 + s / 2) / s);
    }
    pace_add(&p, 30, 1000 * (PACE_SPAN_S + 1));
    assert_int_equal(pace_tenths(&p), 0);
}

static void test_a_number_that_falls_has_rate_zero(void **state)
{
    (void)state;
    struct pace p = {0};
    pace_add(&p, 100, 0);
    pace_add(&p, 3, 1000);
    assert_int_equal(pace_tenths(&p), 0);
}

static void test_the_rate_of_the_largest_jump_does_not_overflow(void **state)
{
    (void)state;
    struct pace p = {0};
    pace_add(&p, INT64_MIN, 0);
    pace_add(&p, INT64_MAX, 1000);
    assert_int_equal(pace_tenths(&p), UINT64_MAX / 1000 * 10000);
    pace_add(&p, INT64_MAX, 1000);
    struct pace same = {0};
    pace_add(&same, 0, 7);
    pace_add(&same, 9, 7);
    assert_int_equal(pace_tenths(&same), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_sample_has_no_pace),
        cmocka_unit_test(test_a_steady_number_grows_by_what_it_grows_also_when_samples_are_forgotten),
        cmocka_unit_test(test_hits_are_forgotten_after_the_span),
        cmocka_unit_test(test_a_number_that_falls_has_rate_zero),
        cmocka_unit_test(test_the_rate_of_the_largest_jump_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
