#include "tally/index.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The index compares tags only: these tests know by the hash which item they look for. */
static bool index_has(const struct index *ix, uint64_t hash, uint32_t item)
{
    struct index_probe probe = index_probe(ix, hash);
    uint32_t found;

    do
        found = index_next(&probe);
    while (found != INDEX_NONE && found != item);
    return found == item;
}

static uint64_t spread(uint64_t x) { return x * 0x9e3779b97f4a7c15 >> 16; }

static void test_empty_index_has_nothing(void **state)
{
    (void)state;
    struct index ix;

    assert_int_equal(index_init(&ix, 1), 0);
    struct index_probe probe = index_probe(&ix, 0);
    assert_true(index_next(&probe) == INDEX_NONE);
    index_fini(&ix);
}

static void test_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    struct index ix;

    assert_int_equal(index_init(&ix, 0), -EINVAL);
    assert_int_equal(index_init(&ix, INDEX_ITEMS_MAX + 1), -EINVAL);
    assert_int_equal(index_init(&ix, INDEX_ITEMS_MAX), 0);
    index_fini(&ix);
}

/* The whole of a table is never moved at once. */
static void test_no_insert_moves_more_than_a_few_slots(void **state)
{
    (void)state;
    struct index ix;
    const uint32_t items = 50000;
    uint32_t growths = 0;

    assert_int_equal(index_init(&ix, items), 0);
    for (uint32_t i = 0; i < items; i++) {
        uint32_t capacity = ix.capacity, moved = ix.moved;
        index_insert(&ix, spread(i), i);
        if (ix.capacity != capacity)
            assert_true(++growths && capacity - moved <= 16 && ix.moved == 0);
        else
            assert_true(ix.moved == 0 || ix.moved - moved == 16);
    }
    assert_int_equal(growths, 8); /* 512 << 7 is 3/4 full with 49152 */
    index_fini(&ix);
}

static void test_all_items_are_found_through_every_growth(void **state)
{
    (void)state;
    struct index ix;
    const uint32_t items = 100000;

    assert_int_equal(index_init(&ix, items), 0);
    for (uint32_t i = 0; i < items; i++) {
        assert_false(index_has(&ix, spread(i), i));
        index_insert(&ix, spread(i), i);
        assert_true(index_has(&ix, spread(i), i));
    }
    for (uint32_t i = 0; i < items; i++)
        assert_true(index_has(&ix, spread(i), i));
    assert_int_equal(ix.capacity, 262144); /* 100 000 do not fit into 3/4 of 131 072 */
    index_fini(&ix);
}

static void test_items_with_one_tag_are_all_offered(void **state)
{
    (void)state;
    struct index ix;
    uint8_t offered[1000] = {0};

    assert_int_equal(index_init(&ix, 1000), 0);
    for (uint32_t i = 0; i < 1000; i++)
        index_insert(&ix, 0xffffffff, i); /* and they wrap round the end of the table */
    struct index_probe probe = index_probe(&ix, 0xffffffff);
    for (uint32_t item; (item = index_next(&probe)) != INDEX_NONE;)
        offered[item]++;
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(offered[i], 1);
    index_fini(&ix);
}

static void test_probe_begun_before_a_growth_still_finds(void **state)
{
    (void)state;
    struct index ix;
    const uint64_t first = spread(0);

    assert_int_equal(index_init(&ix, 10000), 0);
    index_insert(&ix, first, 0);
    struct index_probe old_item = index_probe(&ix, first), new_item = index_probe(&ix, spread(9999));
    for (uint32_t i = 1; i < 10000; i++)
        index_insert(&ix, spread(i), i);
    assert_int_equal(index_next(&old_item), 0);
    assert_int_equal(index_next(&new_item), 9999);
    index_fini(&ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_index_has_nothing),
        cmocka_unit_test(test_sizes_out_of_range_are_refused),
        cmocka_unit_test(test_no_insert_moves_more_than_a_few_slots),
        cmocka_unit_test(test_all_items_are_found_through_every_growth),
        cmocka_unit_test(test_items_with_one_tag_are_all_offered),
        cmocka_unit_test(test_probe_begun_before_a_growth_still_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
