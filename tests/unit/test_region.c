#include "base/region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define HUGE_BYTES ((size_t)1 << 36) /* more than any test machine has */

static size_t pages_resident(void *region, size_t pages)
{
    unsigned char present[64];
    size_t count = 0;

    assert_int_equal(mincore(region, pages * (size_t)sysconf(_SC_PAGESIZE), present), 0);
    for (size_t i = 0; i < pages; i++)
        count += present[i] & 1;
    return count;
}

static void test_region_is_zero_and_resident_only_where_it_was_written(void **state)
{
    (void)state;
    char *region = region_reserve(HUGE_BYTES);

    assert_non_null(region);
    assert_int_equal(pages_resident(region, 64), 0);
    assert_int_equal(region[HUGE_BYTES / 2], 0);
    region[1] = 'x';
    assert_int_equal(pages_resident(region, 64), 1);
    region[HUGE_BYTES - 1] = 'y';
    region_release(region, HUGE_BYTES);
}

static void test_discarded_part_gives_memory_back_and_reads_zero(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *region = region_reserve(4 * page);

    memset(region, 'x', 4 * page);
    assert_int_equal(pages_resident(region, 4), 4);
    region_discard(region + page, 2 * page);
    assert_int_equal(pages_resident(region, 4), 2);
    assert_int_equal(region[page], 0);
    assert_int_equal(region[page - 1], 'x');
    assert_int_equal(region[3 * page], 'x');
    region_release(region, 4 * page);
}

static void test_impossible_region_is_refused(void **state)
{
    (void)state;
    assert_null(region_reserve(SIZE_MAX / 2));
    region_release(NULL, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_region_is_zero_and_resident_only_where_it_was_written),
        cmocka_unit_test(test_discarded_part_gives_memory_back_and_reads_zero),
        cmocka_unit_test(test_impossible_region_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
