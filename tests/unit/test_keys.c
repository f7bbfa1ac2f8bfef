#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "owed/keys.h"
#include "support/skip.h"
#include "sync/barrier.h"

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
};

static void fixture_init(struct fixture *f)
{
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 3, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
}

static void fixture_fini(struct fixture *f)
{
    keys_destroy(f->keys);
    tally_destroy(f->tally);
}

static void hit(struct fixture *f, uint32_t worker, const char *name, uint64_t n)
{
    assert_int_equal(tally_hit(f->tally, worker, (struct slice){name, strlen(name)}, n), TALLY_COUNTED);
}

static uint64_t count_of(struct fixture *f, uint32_t key)
{
    uint64_t sum = 0;

    for (key_cell c = keys_first_cell(f->keys, key); c; c = keys_next_cell(f->keys, c))
        sum += keys_count(f->keys, c);
    return sum;
}

static void store_all(struct fixture *f, uint32_t key)
{
    for (key_cell c = keys_first_cell(f->keys, key); c; c = keys_next_cell(f->keys, c))
        keys_set_baseline(f->keys, c, keys_count(f->keys, c));
}

static void test_a_name_in_several_shards_is_one_key(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    hit(&f, 1, "n/a", 2);
    hit(&f, 2, "n/b", 4);
    hit(&f, 2, "n/a", 8);
    keys_collect(f.keys);
    assert_int_equal(keys_dirty(f.keys), 2);
    uint32_t a = keys_pop_dirty(f.keys, 0), b = keys_pop_dirty(f.keys, 0);
    assert_true(slice_equals(keys_name(f.keys, a), SLICE("n/a")));
    assert_int_equal(count_of(&f, a), 11);
    assert_int_equal(count_of(&f, b), 4);
    assert_int_equal(keys_pop_dirty(f.keys, 0), KEY_NONE);
    fixture_fini(&f);
}

/* Runs before anything called barrier_init(), so barrier_heavy() gives false. */
static void test_without_the_barrier_what_was_met_gets_a_second_look(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    keys_collect(f.keys);
    uint32_t a = keys_pop_dirty(f.keys, 0);
    keys_collect(f.keys);
    assert_int_equal(keys_pop_dirty(f.keys, 0), a);
    fixture_fini(&f);
}

static void test_only_touched_keys_are_collected_and_each_once(void **state)
{
    struct fixture f;
    (void)state;

    if (barrier_init() < 0)
        skip_because("membarrier(2) is forbidden here");
    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    hit(&f, 0, "n/b", 1);
    keys_collect(f.keys);
    while (keys_pop_dirty(f.keys, 0) != KEY_NONE)
        continue;
    keys_collect(f.keys);
    assert_int_equal(keys_dirty(f.keys), 0);
    for (int i = 0; i < 5; i++)
        hit(&f, (uint32_t)i % 3, "n/b", 1);
    keys_collect(f.keys);
    keys_collect(f.keys);
    assert_int_equal(keys_dirty(f.keys), 1);
    fixture_fini(&f);
}

static void test_the_base_is_the_sum_of_the_baselines(void **state)
{
    struct fixture f;
    struct tally_value v;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    hit(&f, 1, "n/a", 2);
    keys_collect(f.keys);
    uint32_t a = keys_pop_dirty(f.keys, 0);
    assert_int_equal(keys_base(f.keys, a), 0);
    store_all(&f, a);
    assert_int_equal(keys_base(f.keys, a), 3);
    keys_publish_growth(f.keys, a, 3); /* its total was never heard: stays unknown */
    tally_read(f.tally, SLICE("n/a"), &v);
    assert_false(v.known);
    keys_publish(f.keys, a, 1003, 0);
    hit(&f, 2, "n/a", 5);
    tally_read(f.tally, SLICE("n/a"), &v);
    assert_true(v.known);
    assert_int_equal(v.value, 1008);
    assert_int_equal(v.pending, 5);
    keys_collect(f.keys);
    store_all(&f, a);
    keys_publish_growth(f.keys, a, 5);
    tally_read(f.tally, SLICE("n/a"), &v);
    assert_int_equal(v.stored, 1008);
    assert_int_equal(v.pending, 0);
    fixture_fini(&f);
}

static void test_a_name_is_found_before_the_first_collection(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    assert_int_equal(keys_find(f.keys, SLICE("n/a")), KEY_NONE);
    hit(&f, 1, "n/a", 1);
    uint32_t key = keys_find(f.keys, SLICE("n/a"));
    assert_int_not_equal(key, KEY_NONE);
    keys_collect(f.keys);
    assert_int_equal(keys_pop_dirty(f.keys, 0), key);
    assert_int_equal(keys_find(f.keys, SLICE("n/a")), key);
    assert_int_equal(count_of(&f, key), 1);
    fixture_fini(&f);
}

static void test_a_held_key_stays_out_of_batches_until_released(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 7);
    keys_collect(f.keys);
    uint32_t a = keys_pop_dirty(f.keys, 0);
    keys_hold(f.keys, a, 7);
    assert_int_equal(keys_held(f.keys), 1);
    hit(&f, 0, "n/a", 1);
    keys_collect(f.keys);
    assert_int_equal(keys_pop_dirty(f.keys, 0), KEY_NONE);
    keys_release_held(f.keys);
    assert_int_equal(keys_held(f.keys), 0);
    assert_int_equal(keys_pop_dirty(f.keys, 0), a);
    assert_int_equal(keys_unhold(f.keys, a), 7);
    assert_int_equal(keys_unhold(f.keys, a), 0);
    fixture_fini(&f);
}

static void test_a_key_touched_during_its_flight_is_held_all_the_same(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 7);
    keys_collect(f.keys);
    uint32_t a = keys_pop_dirty(f.keys, 0);
    hit(&f, 0, "n/a", 1);
    hit(&f, 0, "n/b", 1);
    keys_collect(f.keys);
    keys_hold(f.keys, a, 7);
    uint32_t b = keys_pop_dirty(f.keys, 0);
    assert_true(slice_equals(keys_name(f.keys, b), SLICE("n/b")));
    assert_int_equal(keys_pop_dirty(f.keys, 0), KEY_NONE);
    assert_int_equal(keys_held(f.keys), 1);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_in_several_shards_is_one_key),
        cmocka_unit_test(test_without_the_barrier_what_was_met_gets_a_second_look),
        cmocka_unit_test(test_only_touched_keys_are_collected_and_each_once),
        cmocka_unit_test(test_the_base_is_the_sum_of_the_baselines),
        cmocka_unit_test(test_a_name_is_found_before_the_first_collection),
        cmocka_unit_test(test_a_held_key_stays_out_of_batches_until_released),
        cmocka_unit_test(test_a_key_touched_during_its_flight_is_held_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
