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
            assert_true(++growths && capacity / INDEX_MOVED - moved <= 1 && ix.moved == 0);
        else
            assert_true(ix.moved == 0 || ix.moved - moved == 1);
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

static void test_what_is_removed_is_gone_and_all_else_is_found(void **state)
{
    (void)state;
    struct index ix;
    const uint32_t items = 4000;

    assert_int_equal(index_init(&ix, items), 0);
    for (uint32_t i = 0; i < items; i++)
        index_insert(&ix, spread(i), i);
    while (!index_settle(&ix, 1))
        continue;
    for (uint32_t i = 0; i < items; i += 2) {
        index_remove(&ix, spread(i), i);
        assert_false(index_has(&ix, spread(i), i));
    }
    for (uint32_t i = 0; i < items; i++)
        assert_int_equal(index_has(&ix, spread(i), i), i % 2);
    assert_int_equal(ix.items, items / 2);
    index_fini(&ix);
}

/* In one run of slots, round the end of the table: each gap is closed with what is looked for from before it. */
static void test_removing_closes_gaps_in_any_order(void **state)
{
    (void)state;
    static const uint32_t homes[] = {510, 510, 511, 0, 510, 1, 511, 2, 0, 1};
    enum { ITEMS = sizeof(homes) / sizeof(homes[0]) };
    struct index ix;

    for (uint32_t first = 0; first < ITEMS; first++) {
        assert_int_equal(index_init(&ix, 100), 0);
        for (uint32_t i = 0; i < ITEMS; i++)
            index_insert(&ix, homes[i], i);
        for (uint32_t n = 0; n < ITEMS; n++) {
            uint32_t item = (first + n * 3) % ITEMS;
            index_remove(&ix, homes[item], item);
            for (uint32_t left = 0; left < ITEMS; left++)
                assert_int_equal(index_has(&ix, homes[left], left), (left + ITEMS - first) * 7 % ITEMS > n);
        }
        assert_int_equal(ix.items, 0);
        index_fini(&ix);
    }
}

static void test_nothing_is_removed_before_a_growth_is_settled(void **state)
{
    (void)state;
    struct index ix;
    uint32_t items = 0, steps = 0;

    assert_int_equal(index_init(&ix, 10000), 0);
    while (ix.moved == 0)
        index_insert(&ix, spread(items), items), items++;
    while (!index_settle(&ix, 1))
        steps++;
    assert_in_range(steps, 1, 512 / INDEX_MOVED);
    assert_int_equal(ix.capacity, 1024);
    for (uint32_t i = 0; i < items; i++)
        assert_true(index_has(&ix, spread(i), i));
    index_remove(&ix, spread(0), 0);
    assert_false(index_has(&ix, spread(0), 0));
    index_fini(&ix);
}

/* As if the owner had moved an item past the probe. */
static void test_probe_that_may_have_missed_an_item_starts_again(void **state)
{
    (void)state;
    struct index ix;

    assert_int_equal(index_init(&ix, 100), 0);
    index_insert(&ix, 7, 0);
    index_insert(&ix, 7, 1);
    struct index_probe probe = index_probe(&ix, 7);
    assert_int_equal(index_next(&probe), 0);
    index_remove(&ix, 7, 0); /* 1 is where 0 was */
    assert_int_equal(index_next(&probe), 1);
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
        cmocka_unit_test(test_what_is_removed_is_gone_and_all_else_is_found),
        cmocka_unit_test(test_removing_closes_gaps_in_any_order),
        cmocka_unit_test(test_nothing_is_removed_before_a_growth_is_settled),
        cmocka_unit_test(test_probe_that_may_have_missed_an_item_starts_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
