#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flush/window.h"

#define KEEP_MS 1000

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct batch batch;
    struct window window;
    uint64_t seq;
};

static void fixture_init(struct fixture *f, uint64_t parts_max)
{
    *f = (struct fixture){0};
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 2, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
    assert_int_equal(batch_init(&f->batch, 10, UINT32_MAX), 0);
    window_init(&f->window, KEEP_MS, parts_max);
}

static void fixture_fini(struct fixture *f)
{
    window_fini(&f->window);
    batch_fini(&f->batch);
    keys_destroy(f->keys);
    tally_destroy(f->tally);
}

/* A batch of what is dirty, stored but for item number `refused`. */
static void store(struct fixture *f, uint64_t now_ms, uint32_t refused)
{
    uint64_t hits = 0;

    f->seq++;
    batch_begin(&f->batch, &(struct ledger){f->seq, f->seq * 10});
    keys_collect(f->keys);
    batch_fill(&f->batch, f->keys, 0);
    for (uint32_t i = 0; i < f->batch.items_count; i++) {
        if (i == refused)
            continue;
        batch_item_applied(&f->batch, f->keys, &f->batch.items[i]);
        hits += (uint64_t)f->batch.items[i].delta;
    }
    window_push(&f->window, &f->batch, hits, now_ms);
}

static void hit(struct fixture *f, uint32_t worker, struct slice name, uint64_t n)
{
    assert_int_equal(tally_hit(f->tally, worker, name, n), TALLY_COUNTED);
}

static uint64_t base(struct fixture *f, struct slice name) { return keys_base(f->keys, keys_find(f->keys, name)); }

static void empty_batches(struct fixture *f, uint64_t upto)
{
    while (f->seq < upto)
        store(f, 0, UINT32_MAX);
}

static void test_a_window_knows_what_was_ours(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    empty_batches(&f, 5);
    assert_int_equal(window_knows(&f.window, &(struct ledger){3, 30}), WINDOW_OURS);
    assert_int_equal(window_knows(&f.window, &(struct ledger){3, 31}), WINDOW_NOT_OURS);
    assert_int_equal(window_knows(&f.window, &(struct ledger){6, 60}), WINDOW_TOO_OLD);
    fixture_fini(&f);
}

static void test_the_oldest_ledger_is_forgotten_first(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    empty_batches(&f, WINDOW_ENTRIES_MAX + 10);
    assert_int_equal(window_knows(&f.window, &(struct ledger){10, 100}), WINDOW_TOO_OLD);
    assert_int_equal(window_knows(&f.window, &(struct ledger){11, 110}), WINDOW_OURS);
    fixture_fini(&f);
}

static void test_of_ledgers_older_than_the_window_only_the_last_ones_are_known(void **state)
{
    const uint64_t all = 10 * WINDOW_PARTLESS_MAX;
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    for (uint64_t i = 0; i < all; i++)
        store(&f, i * 2 * KEEP_MS, UINT32_MAX);
    uint64_t oldest = all - WINDOW_PARTLESS_MAX - 1;
    assert_int_equal(window_knows(&f.window, &(struct ledger){oldest, oldest * 10}), WINDOW_TOO_OLD);
    oldest += 2;
    assert_int_equal(window_knows(&f.window, &(struct ledger){oldest, oldest * 10}), WINDOW_OURS);
    assert_true(f.window.capacity <= 2 * WINDOW_PARTLESS_MAX);
    fixture_fini(&f);
}

static void test_what_was_rolled_back_is_pending_again(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    hit(&f, 0, SLICE("n/a"), 1);
    store(&f, 0, UINT32_MAX);
    hit(&f, 0, SLICE("n/a"), 2);
    hit(&f, 1, SLICE("n/a"), 4);
    store(&f, 10, UINT32_MAX);
    hit(&f, 1, SLICE("n/b"), 8);
    store(&f, 20, UINT32_MAX);
    struct window_cut cut = window_cut(&f.window, 1, f.keys, 30);
    assert_int_equal(cut.replayed, 2 + 4 + 8);
    assert_int_equal(cut.lost, 0);
    assert_int_equal(base(&f, SLICE("n/a")), 1);
    assert_int_equal(base(&f, SLICE("n/b")), 0);
    assert_int_equal(keys_dirty(f.keys), 2);
    assert_int_equal(window_knows(&f.window, &(struct ledger){2, 20}), WINDOW_TOO_OLD);
    assert_int_equal(window_knows(&f.window, &(struct ledger){1, 10}), WINDOW_OURS);
    batch_begin(&f.batch, &(struct ledger){2, 21});
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.hits, 2 + 4 + 8);
    fixture_fini(&f);
}

static void test_a_refused_key_is_not_replayed(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    hit(&f, 0, SLICE("n/a"), 1);
    hit(&f, 0, SLICE("n/b"), 2);
    store(&f, 0, 0);
    struct window_cut cut = window_cut(&f.window, 0, f.keys, 0);
    assert_int_equal(cut.replayed, 2);
    assert_int_equal(cut.lost, 0);
    assert_int_equal(base(&f, SLICE("n/a")), 0);
    fixture_fini(&f);
}

static void test_what_is_older_than_the_window_is_lost(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    hit(&f, 0, SLICE("n/a"), 1);
    store(&f, 0, UINT32_MAX);
    hit(&f, 0, SLICE("n/a"), 2);
    store(&f, 500, UINT32_MAX);
    struct window_cut cut = window_cut(&f.window, 0, f.keys, KEEP_MS + 1);
    assert_int_equal(cut.replayed, 2);
    assert_int_equal(cut.lost, 1);
    assert_int_equal(base(&f, SLICE("n/a")), 1);
    fixture_fini(&f);
}

static void test_parts_beyond_the_bound_are_forgotten_oldest_first(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 2);
    for (uint64_t n = 1; n <= 4; n *= 2) {
        hit(&f, 0, SLICE("n/a"), n);
        store(&f, 0, UINT32_MAX);
    }
    assert_int_equal(f.window.parts, 2);
    struct window_cut cut = window_cut(&f.window, 0, f.keys, 0);
    assert_int_equal(cut.replayed, 2 + 4);
    assert_int_equal(cut.lost, 1);
    assert_int_equal(f.window.parts, 0);
    fixture_fini(&f);
}

static void test_a_cut_ends_where_it_is_told(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    for (uint64_t n = 1; n <= 4; n *= 2) {
        hit(&f, 0, SLICE("n/a"), n);
        store(&f, 0, UINT32_MAX);
    }
    assert_int_equal(window_cut(&f.window, 2, f.keys, 0).replayed, 4);
    assert_int_equal(window_cut(&f.window, 2, f.keys, 0).replayed, 0);
    assert_int_equal(base(&f, SLICE("n/a")), 3);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_knows_what_was_ours),
        cmocka_unit_test(test_the_oldest_ledger_is_forgotten_first),
        cmocka_unit_test(test_of_ledgers_older_than_the_window_only_the_last_ones_are_known),
        cmocka_unit_test(test_what_was_rolled_back_is_pending_again),
        cmocka_unit_test(test_a_refused_key_is_not_replayed),
        cmocka_unit_test(test_what_is_older_than_the_window_is_lost),
        cmocka_unit_test(test_parts_beyond_the_bound_are_forgotten_oldest_first),
        cmocka_unit_test(test_a_cut_ends_where_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
