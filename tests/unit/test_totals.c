#include "tally/totals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SHARDS 2

struct fixture {
    struct shard *shards[SHARDS];
    struct totals *totals;
};

static void fixture_init(struct fixture *f, uint32_t entries_max)
{
    const struct siphash_key hash_key = {1, 2};

    for (int i = 0; i < SHARDS; i++)
        assert_int_equal(shard_create(&f->shards[i], &(struct shard_config){.cells_max = 10, .hash_key = hash_key}), 0);
    const struct totals_config config = {.shards = f->shards, .shards_count = SHARDS, .entries_max = entries_max};
    assert_int_equal(totals_create(&f->totals, &config), 0);
}

static void fixture_fini(struct fixture *f)
{
    totals_destroy(f->totals);
    for (int i = 0; i < SHARDS; i++)
        shard_destroy(f->shards[i]);
}

static uint32_t find(const struct fixture *f, struct slice name)
{
    return totals_find(f->totals, name, shard_hash(f->shards[0], name));
}

static uint32_t count_name(struct fixture *f, uint32_t shard, struct slice name)
{
    return shard_intern(f->shards[shard], name, shard_hash(f->shards[shard], name), false);
}

static uint32_t intern(struct fixture *f, uint32_t shard, struct slice name)
{
    return totals_intern(f->totals, shard, count_name(f, shard, name));
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
    struct fixture f;
    struct total total = {1, 2, 3};

    fixture_init(&f, 10);
    uint32_t cell = count_name(&f, 0, SLICE("n/a"));
    assert_true(find(&f, SLICE("n/a")) == TOTALS_NONE);
    assert_true(totals_of_cell(f.totals, 0, cell) == TOTALS_NONE);
    uint32_t entry = totals_intern(f.totals, 0, cell);
    assert_int_equal(totals_of_cell(f.totals, 0, cell), entry);
    totals_read(f.totals, entry, &total);
    assert_int_equal(total.stored, 0);
    assert_int_equal(total.base, 0);
    assert_int_equal(total.as_of_ms, 0);
    fixture_fini(&f);
}

static void test_entry_is_made_once_a_name(void **state)
{
    (void)state;
    struct fixture f;

    fixture_init(&f, 10);
    uint32_t a = intern(&f, 0, SLICE("n/a")), b = intern(&f, 1, SLICE("n/b"));
    assert_int_not_equal(a, b);
    assert_int_equal(totals_intern(f.totals, 0, 0), a);
    /* the other way round in the other shard */
    assert_int_equal(intern(&f, 1, SLICE("n/a")), a);
    assert_int_equal(intern(&f, 0, SLICE("n/b")), b);
    assert_int_equal(find(&f, SLICE("n/a")), a);
    assert_int_equal(find(&f, SLICE("n/b")), b);
    assert_true(find(&f, SLICE("n/c")) == TOTALS_NONE);
    fixture_fini(&f);
}

static void test_a_name_is_found_through_the_one_cell_that_was_met(void **state)
{
    (void)state;
    struct fixture f;

    fixture_init(&f, 10);
    count_name(&f, 0, SLICE("n/a"));
    uint32_t entry = intern(&f, 1, SLICE("n/a"));
    assert_int_equal(find(&f, SLICE("n/a")), entry);
    assert_true(totals_of_cell(f.totals, 0, 0) == TOTALS_NONE);
    fixture_fini(&f);
}

static void test_published_total_is_read_back_whole(void **state)
{
    (void)state;
    struct fixture f;
    const struct total published = {INT64_MIN, UINT64_MAX, 12345};
    struct total total;

    fixture_init(&f, 10);
    uint32_t a = intern(&f, 0, SLICE("n/a")), b = intern(&f, 0, SLICE("n/b"));
    totals_publish(f.totals, a, &published);
    totals_read(f.totals, a, &total);
    assert_true(total.stored == INT64_MIN && total.base == UINT64_MAX && total.as_of_ms == 12345);
    totals_read(f.totals, b, &total);
    assert_true(total.stored == 0 && total.base == 0 && total.as_of_ms == 0);
    fixture_fini(&f);
}

static void test_full_table_refuses_new_names_only(void **state)
{
    (void)state;
    struct fixture f;

    fixture_init(&f, 2);
    intern(&f, 0, SLICE("n/a"));
    uint32_t b = intern(&f, 0, SLICE("n/b"));
    assert_true(intern(&f, 1, SLICE("n/c")) == TOTALS_NONE);
    assert_int_equal(intern(&f, 1, SLICE("n/b")), b);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_out_of_range_are_refused),
        cmocka_unit_test(test_new_entry_says_that_the_store_was_never_asked),
        cmocka_unit_test(test_entry_is_made_once_a_name),
        cmocka_unit_test(test_a_name_is_found_through_the_one_cell_that_was_met),
        cmocka_unit_test(test_published_total_is_read_back_whole),
        cmocka_unit_test(test_full_table_refuses_new_names_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
