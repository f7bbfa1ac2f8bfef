#include "net/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

static void test_two_purses_have_no_more_than_the_budget_together(void **state)
{
    (void)state;
    struct budget b;
    budget_init(&b, 4 * MIB);
    struct purse one = {.budget = &b}, two = {.budget = &b};
    assert_true(purse_take(&one, 3 * MIB));
    assert_false(purse_take(&two, 2 * MIB));
    assert_true(purse_take(&two, MIB));
    assert_false(purse_take(&two, 1));
    assert_int_equal(budget_fill(&b), 1000);
    assert_int_equal(two.used, MIB);
    purse_give(&one, 3 * MIB);
    assert_true(purse_take(&two, MIB));
    purse_fini(&one);
    purse_fini(&two);
    assert_int_equal(budget_fill(&b), 0);
}

static void test_a_purse_gives_back_what_it_does_not_need(void **state)
{
    (void)state;
    struct budget b;
    budget_init(&b, 100 * MIB);
    struct purse p = {.budget = &b};
    for (int i = 0; i < 90; i++)
        assert_true(purse_take(&p, MIB));
    assert_int_equal(budget_fill(&b), 900);
    for (int i = 0; i < 90; i++)
        purse_give(&p, MIB);
    assert_int_equal(p.used, 0);
    assert_true(budget_fill(&b) <= 10);
}

static void test_what_is_forced_is_paid_for_before_more_is_taken(void **state)
{
    (void)state;
    struct budget b;
    budget_init(&b, 2 * MIB);
    struct purse p = {.budget = &b};
    purse_force(&p, 3 * MIB);
    assert_false(purse_take(&p, 1));
    purse_give(&p, 2 * MIB);
    assert_true(purse_take(&p, MIB));
    assert_false(purse_take(&p, 1));
}

static void test_without_a_budget_there_is_no_bound(void **state)
{
    (void)state;
    struct purse p = {0};
    assert_true(purse_take(&p, UINT64_C(1) << 40));
    purse_give(&p, UINT64_C(1) << 40);
    assert_int_equal(p.used, 0);
    assert_int_equal(budget_fill(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_purses_have_no_more_than_the_budget_together),
        cmocka_unit_test(test_a_purse_gives_back_what_it_does_not_need),
        cmocka_unit_test(test_what_is_forced_is_paid_for_before_more_is_taken),
        cmocka_unit_test(test_without_a_budget_there_is_no_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
