#include "machine/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>

static void test_the_soft_limit_is_raised_to_the_hard_one(void **state)
{
    (void)state;
    struct rlimit before, after;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int64_t limit = descriptors_raise();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
    assert_true(after.rlim_cur == before.rlim_max);
    assert_true(limit == (after.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)after.rlim_cur));
    setrlimit(RLIMIT_NOFILE, &before);
}

static void test_connections_get_what_they_ask_for_when_it_fits(void **state)
{
    (void)state;
    assert_int_equal(descriptors_share(65536, 2, 8192, true), 8192);
    assert_int_equal(descriptors_share(65536, 2, 8192, false), 8192);
}

static void test_direct_descriptors_are_not_added_up_and_others_are(void **state)
{
    (void)state;
    assert_int_equal(descriptors_share(10000, 4, 8192, true), 8192);
    assert_in_range(descriptors_share(10000, 4, 8192, false), 2400, 2499);
}

static void test_connections_get_less_under_a_low_limit_and_none_under_a_tiny_one(void **state)
{
    (void)state;
    uint32_t share = descriptors_share(1024, 2, 8192, true);
    assert_in_range(share, 900, 1000);
    assert_true(descriptors_share(1024, 64, 8192, true) < share); /* each worker needs some of its own */
    assert_int_equal(descriptors_share(16, 2, 8192, true), 0);
    assert_int_equal(descriptors_share(0, 1024, 1, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_soft_limit_is_raised_to_the_hard_one),
        cmocka_unit_test(test_connections_get_what_they_ask_for_when_it_fits),
        cmocka_unit_test(test_direct_descriptors_are_not_added_up_and_others_are),
        cmocka_unit_test(test_connections_get_less_under_a_low_limit_and_none_under_a_tiny_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
