#include "tally/totals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct totals *totals_of(uint32_t entries_max)
{
    struct totals *t = NULL;

    assert_int_equal(totals_create(&t, &(struct totals_config){.entries_max = entries_max}), 0);
    return t;
}

static void test_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    struct totals *t = NULL;

    assert_int_equal(totals_create(&t, &(struct totals_config){.entries_max = 0}), -EINVAL);
    assert_int_equal(totals_create(&t, &(struct totals_config){.entries_max = UINT32_MAX}), -EINVAL);
    assert_null(t);
    totals_destroy(NULL);
}

static void test_new_entry_says_that_the_store_was_never_asked(void **state)
{
    (void)state;
    struct totals *t = totals_of(10);
    struct total total = {1, 2, 3};

    assert_true(totals_find(t, SLICE("n/a"), 7) == TOTALS_NONE);
    assert_int_equal(totals_entries(t), 0);
    uint32_t entry = totals_intern(t, SLICE("n/a"), 7);
    totals_read(t, entry, &total);
    assert_int_equal(total.stored, 0);
    assert_int_equal(total.base, 0);
    assert_int_equal(total.as_of_ms, 0);
    assert_int_equal(totals_entries(t), 1);
    totals_destroy(t);
}

static void test_entry_is_made_once_a_name(void **state)
{
    (void)state;
    struct totals *t = totals_of(10);

    uint32_t a = totals_intern(t, SLICE("n/a"), 7), b = totals_intern(t, SLICE("n/b"), 7);
    assert_int_not_equal(a, b);
    assert_int_equal(totals_intern(t, SLICE("n/a"), 7), a);
    assert_int_equal(totals_find(t, SLICE("n/b"), 7), b);
    assert_true(totals_find(t, SLICE("n/c"), 7) == TOTALS_NONE);
    assert_true(slice_equals(totals_name(t, b), SLICE("n/b")));
    assert_int_equal(totals_entries(t), 2);
    totals_destroy(t);
}

static void test_published_total_is_read_back_whole(void **state)
{
    (void)state;
    struct totals *t = totals_of(10);
    const struct total published = {INT64_MIN, UINT64_MAX, 12345};
    struct total total;

    uint32_t a = totals_intern(t, SLICE("n/a"), 7), b = totals_intern(t, SLICE("n/b"), 8);
    totals_publish(t, a, &published);
    totals_read(t, a, &total);
    assert_true(total.stored == INT64_MIN && total.base == UINT64_MAX && total.as_of_ms == 12345);
    totals_read(t, b, &total);
    assert_true(total.stored == 0 && total.base == 0 && total.as_of_ms == 0);
    totals_destroy(t);
}

static void test_full_table_refuses_new_names_only(void **state)
{
    (void)state;
    struct totals *t = totals_of(2);

    totals_intern(t, SLICE("n/a"), 1);
    uint32_t b = totals_intern(t, SLICE("n/b"), 2);
    assert_true(totals_intern(t, SLICE("n/c"), 3) == TOTALS_NONE);
    assert_int_equal(totals_intern(t, SLICE("n/b"), 2), b);
    totals_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_out_of_range_are_refused),
        cmocka_unit_test(test_new_entry_says_that_the_store_was_never_asked),
        cmocka_unit_test(test_entry_is_made_once_a_name),
        cmocka_unit_test(test_published_total_is_read_back_whole),
        cmocka_unit_test(test_full_table_refuses_new_names_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
