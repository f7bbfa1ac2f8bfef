#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "owed/sums.h"

static void test_a_namespace_keeps_its_number(void **state)
{
    struct sums *s;
    (void)state;

    assert_int_equal(sums_create(&s, 2), 0);
    assert_int_equal(sums_find(s, SLICE("blog")), SUM_NONE);
    assert_int_equal(sums_intern(s, SLICE("blog")), 0);
    assert_int_equal(sums_intern(s, SLICE("shop")), 1);
    assert_int_equal(sums_intern(s, SLICE("blog")), 0);
    assert_int_equal(sums_find(s, SLICE("shop")), 1);
    assert_true(slice_equals(sums_name(s, 1), SLICE("shop")));
    assert_int_equal(sums_count(s), 2);
    sums_destroy(s);
}

static void test_one_too_many_has_no_total(void **state)
{
    struct sums *s;
    char name[16];
    (void)state;

    assert_int_equal(sums_create(&s, 1), 0);
    for (uint32_t i = 0; i <= SUMS_NAMESPACES_MAX; i++) {
        size_t bytes = (size_t)snprintf(name, sizeof(name), "ns-%u", i);
        uint16_t expected = i < SUMS_NAMESPACES_MAX ? (uint16_t)i : SUM_NONE;
        assert_int_equal(sums_intern(s, (struct slice){name, bytes}), expected);
        assert_int_equal(sums_find(s, (struct slice){name, bytes}), expected);
        assert_int_equal(sums_is_late(s, (struct slice){name, bytes}), expected == SUM_NONE);
    }
    assert_false(sums_is_late(s, SLICE("never counted")));
    sums_destroy(s);
}

static void test_those_that_come_too_late_are_counted_once_and_up_to_a_bound(void **state)
{
    struct sums *s;
    char name[16];
    (void)state;

    assert_int_equal(sums_create(&s, 1), 0);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < SUMS_NAMESPACES_MAX + SUMS_LATE_MAX + 5; i++) {
            uint32_t late = i < SUMS_NAMESPACES_MAX ? 0 : i - SUMS_NAMESPACES_MAX + 1;
            size_t bytes = (size_t)snprintf(name, sizeof(name), "ns-%u", i);
            sums_intern(s, (struct slice){name, bytes});
            if (round == 0)
                assert_int_equal(sums_late(s), late < SUMS_LATE_MAX ? late : SUMS_LATE_MAX);
        }
    assert_int_equal(sums_late(s), SUMS_LATE_MAX);
    assert_false(sums_is_late(s, SLICE("ns-255")));
    assert_true(sums_is_late(s, SLICE("ns-256")));
    assert_true(sums_is_late(s, SLICE("ns-1284"))); /* beyond the bound nobody can tell */
    sums_destroy(s);
}

static void test_who_is_owed_something_is_counted_by_partition(void **state)
{
    struct sums *s;
    (void)state;

    assert_int_equal(sums_create(&s, 2), 0);
    uint16_t blog = sums_intern(s, SLICE("blog")), shop = sums_intern(s, SLICE("shop"));
    assert_int_equal(sums_owing(s, 0), 0);
    sums_at(s, blog, 0)->owed = 5;
    sums_at(s, shop, 0)->owed = -5;
    sums_at(s, shop, 1)->owed = 1;
    assert_int_equal(sums_owing(s, 0), 2);
    assert_int_equal(sums_owing(s, 1), 1);
    sums_destroy(s);
}

static void test_what_is_known_moves_with_what_is_stored(void **state)
{
    struct sums *s;
    (void)state;

    assert_int_equal(sums_create(&s, 1), 0);
    struct sum *sum = sums_at(s, sums_intern(s, SLICE("blog")), 0);
    sum->stored = 10;
    sum->owed = -3; /* the number has three too many */
    sum_publish(sum, 113, 5);
    assert_int_equal(sum_value(sum), 110);
    sum->stored -= 4; /* the store forgot four, and they are pending again */
    assert_int_equal(sum_value(sum), 106);
    sums_begin_anew(s, 0);
    assert_int_equal(sum->owed, 0);
    sums_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_namespace_keeps_its_number),
        cmocka_unit_test(test_one_too_many_has_no_total),
        cmocka_unit_test(test_those_that_come_too_late_are_counted_once_and_up_to_a_bound),
        cmocka_unit_test(test_who_is_owed_something_is_counted_by_partition),
        cmocka_unit_test(test_what_is_known_moves_with_what_is_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
