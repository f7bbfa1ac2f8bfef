#include "sync/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_a_value_equal_to_a_bound_is_in_its_bucket(void **state)
{
    (void)state;
#define BOUND_US(us, seconds) us,
    static const uint64_t bounds[] = {HISTOGRAM_BOUNDS(BOUND_US)};
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        struct histogram h = {0};
        histogram_add(&h, bounds[i], 1);
        histogram_add(&h, bounds[i] + 1, 2);
        assert_int_equal(h.counts[i], 1);
        assert_int_equal(h.counts[i + 1], 2);
        assert_int_equal(h.sum_us, 3 * bounds[i] + 2);
    }
}

static void test_many_of_one_time_are_counted_at_once(void **state)
{
    (void)state;
    struct histogram h = {0};
    histogram_add(&h, 0, 1000);
    histogram_add(&h, 70, 3);
    histogram_add(&h, 3600000000, 1);
    assert_int_equal(h.counts[0], 1000);
    assert_int_equal(h.counts[1], 3);
    assert_int_equal(h.counts[HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(h.sum_us, 3600000210);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_equal_to_a_bound_is_in_its_bucket),
        cmocka_unit_test(test_many_of_one_time_are_counted_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
