#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

static void test_monotonic_time_never_goes_back_and_units_agree(void **state)
{
    (void)state;
    uint64_t before_ns = clock_mono_ns();
    uint64_t ms = clock_mono_ms();
    uint64_t after_ns = clock_mono_ns();

    assert_true(before_ns <= after_ns);
    assert_in_range(ms, before_ns / 1000000, after_ns / 1000000);
}

static void test_wall_time_is_milliseconds_since_1970(void **state)
{
    (void)state;
    time_t before = time(NULL);
    int64_t ms = clock_wall_ms();

    /* time(2) may read a coarser clock that lags by a tick. */
    assert_true(ms >= (int64_t)before * 1000);
    assert_true(ms < ((int64_t)time(NULL) + 2) * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monotonic_time_never_goes_back_and_units_agree),
        cmocka_unit_test(test_wall_time_is_milliseconds_since_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
