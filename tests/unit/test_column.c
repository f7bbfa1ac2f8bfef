#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flush/column.h"

static void test_a_column_far_larger_than_memory_is_zero_and_writable_at_both_ends(void **state)
{
    size_t count = (size_t)1 << 36;
    uint64_t *column = column_reserve(count, sizeof(*column)); /* half a TiB */
    (void)state;

    if (!column)
        skip(); /* RLIMIT_AS, or strict overcommit */
    assert_int_equal(column[0], 0);
    assert_int_equal(column[count - 1], 0);
    column[count - 1] = 7;
    assert_int_equal(column[count - 1], 7);
    column_release(column, count, sizeof(*column));
}

static void test_what_no_address_space_holds_is_refused(void **state)
{
    (void)state;
    assert_null(column_reserve((size_t)1 << 60, 8));
    column_release(NULL, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_column_far_larger_than_memory_is_zero_and_writable_at_both_ends),
        cmocka_unit_test(test_what_no_address_space_holds_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
