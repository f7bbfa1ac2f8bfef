/* Keys with few hits rest until they have more, or have rested long enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "owed/keys.h"

#define REST_MS 10000
#define ENOUGH 16

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    uint64_t now_ms;
};

static void fixture_init(struct fixture *f)
{
    f->now_ms = 1000;
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 3, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
    assert_int_equal(keys_let_rest(f->keys, REST_MS), 0);
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

static void collect_after(struct fixture *f, uint64_t ms)
{
    f->now_ms += ms;
    keys_set_clock(f->keys, f->now_ms);
    keys_collect(f->keys);
}

/* The only one that is dirty. */
static void assert_dirty(struct fixture *f, const char *name)
{
    assert_int_equal(keys_dirty(f->keys), name ? 1 : 0);
    uint32_t key = keys_pop_dirty(f->keys, 0);
    if (!name) {
        assert_int_equal(key, KEY_NONE);
        return;
    }
    assert_true(slice_equals(keys_name(f->keys, key), (struct slice){name, strlen(name)}));
    for (key_cell c = keys_first_cell(f->keys, key); c; c = keys_next_cell(f->keys, c))
        keys_set_baseline(f->keys, c, keys_count(f->keys, c));
}

static void test_many_hits_do_not_rest_and_few_do(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/many", ENOUGH);
    hit(&f, 0, "n/few", ENOUGH - 1);
    collect_after(&f, 100);
    assert_dirty(&f, "n/many");
    collect_after(&f, 100);
    assert_dirty(&f, NULL);
    hit(&f, 2, "n/few", 1); /* of all workers together */
    collect_after(&f, 100);
    assert_dirty(&f, "n/few");
    fixture_fini(&f);
}

static void test_a_key_rests_from_its_first_hit_on_and_no_longer_than_it_may(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    collect_after(&f, 0);
    hit(&f, 0, "n/b", 1);
    for (int i = 0; i < 9; i++) {
        collect_after(&f, REST_MS / 10);
        assert_dirty(&f, NULL);
        hit(&f, 0, "n/a", 1); /* that it is hit again does not keep it */
    }
    collect_after(&f, REST_MS / 10);
    assert_dirty(&f, "n/a");
    collect_after(&f, REST_MS / 10);
    assert_dirty(&f, "n/b");
    collect_after(&f, REST_MS * 2);
    assert_dirty(&f, NULL);
    fixture_fini(&f);
}

/* From the front, the middle and the end of those that rest. */
static void test_a_key_that_wakes_leaves_the_others_at_rest(void **state)
{
    static const char *const names[] = {"n/a", "n/b", "n/c"};
    (void)state;

    for (int first = 0; first < 3; first++) {
        struct fixture f;
        fixture_init(&f);
        for (int i = 0; i < 3; i++)
            hit(&f, 0, names[i], 1);
        collect_after(&f, 0);
        hit(&f, 1, names[first], ENOUGH);
        collect_after(&f, 100);
        assert_dirty(&f, names[first]);
        collect_after(&f, REST_MS);
        assert_int_equal(keys_dirty(f.keys), 2);
        fixture_fini(&f);
    }
}

static void test_a_key_that_rests_can_be_woken_given_back_and_held(void **state)
{
    struct fixture f;
    uint32_t worker, cell;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    collect_after(&f, 0);
    assert_true(tally_find(f.tally, SLICE("n/a"), &worker, &cell));
    keys_wake_cell(f.keys, worker, cell);
    keys_wake_cell(f.keys, worker, cell);
    assert_dirty(&f, "n/a");

    hit(&f, 0, "n/a", 1); /* while a batch with it is under way */
    collect_after(&f, 0);
    uint32_t a = keys_find(f.keys, SLICE("n/a"));
    keys_push_dirty(f.keys, a); /* it comes back */
    assert_dirty(&f, "n/a");

    hit(&f, 0, "n/a", 1);
    collect_after(&f, 0);
    keys_hold(f.keys, a, 1);
    assert_int_equal(keys_held(f.keys), 1);
    collect_after(&f, REST_MS * 2);
    assert_int_equal(keys_dirty(f.keys), 0);
    keys_release_held(f.keys);
    assert_dirty(&f, "n/a");

    hit(&f, 0, "n/a", 1);
    hit(&f, 0, "n/b", 1);
    collect_after(&f, 0);
    keys_wake_all(f.keys);
    assert_int_equal(keys_dirty(f.keys), 2);
    fixture_fini(&f);
}

static void test_what_rests_is_not_forgotten(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 1);
    collect_after(&f, 0);
    uint32_t a = keys_find(f.keys, SLICE("n/a"));
    assert_false(keys_may_leave(f.keys, a, f.now_ms + 100 * REST_MS, 1000));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_hits_do_not_rest_and_few_do),
        cmocka_unit_test(test_a_key_rests_from_its_first_hit_on_and_no_longer_than_it_may),
        cmocka_unit_test(test_a_key_that_wakes_leaves_the_others_at_rest),
        cmocka_unit_test(test_a_key_that_rests_can_be_woken_given_back_and_held),
        cmocka_unit_test(test_what_rests_is_not_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
