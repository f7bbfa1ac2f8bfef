#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/window.h"

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

static bool knows(const struct fixture *f, uint64_t seq, uint64_t nonce)
{
    return window_find(&f->window, &(struct ledger){seq, nonce}) != WINDOW_NONE;
}

/* Of the batch with that seq, how many hits of known cells. */
static uint64_t known_hits(const struct fixture *f, uint64_t seq)
{
    const struct window_entry *e = window_entry(&f->window, window_find(&f->window, &(struct ledger){seq, seq * 10}));
    uint64_t hits = 0;

    for (uint32_t i = 0; i < e->parts_count; i++)
        hits += e->parts[i].hits;
    return hits;
}

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
    assert_true(knows(&f, 3, 30));
    assert_false(knows(&f, 3, 31));
    assert_false(knows(&f, 6, 60));
    assert_int_equal(window_has_seq(&f.window, 3), WINDOW_HAS);
    assert_int_equal(window_has_seq(&f.window, 6), WINDOW_HAS_NOT);
    fixture_fini(&f);
}

static void test_the_oldest_ledger_is_forgotten_first(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    empty_batches(&f, WINDOW_ENTRIES_MAX + 10);
    assert_false(knows(&f, 10, 100));
    assert_int_equal(window_has_seq(&f.window, 10), WINDOW_TOO_OLD);
    assert_true(knows(&f, 11, 110));
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
    assert_false(knows(&f, oldest, oldest * 10));
    oldest += 2;
    assert_true(knows(&f, oldest, oldest * 10));
    assert_true(f.window.capacity <= 2 * WINDOW_PARTLESS_MAX);
    fixture_fini(&f);
}

static void test_the_window_leaves_out_refused_keys(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    hit(&f, 0, SLICE("n/a"), 1);
    hit(&f, 0, SLICE("n/b"), 2);
    store(&f, 0, 0);
    assert_int_equal(known_hits(&f, 1), 2);
    fixture_fini(&f);
}

static void test_cells_are_known_as_long_as_the_window_is(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    hit(&f, 0, SLICE("n/a"), 1);
    store(&f, 0, UINT32_MAX);
    hit(&f, 0, SLICE("n/a"), 2);
    store(&f, 500, UINT32_MAX);
    window_expire(&f.window, KEEP_MS + 1);
    assert_int_equal(known_hits(&f, 1), 0);
    assert_int_equal(known_hits(&f, 2), 2);
    assert_int_equal(window_ends_ms(&f.window), 500 + KEEP_MS);
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
    assert_int_equal(known_hits(&f, 1), 0);
    assert_int_equal(known_hits(&f, 2) + known_hits(&f, 3), 2 + 4);
    fixture_fini(&f);
}

/* 1 - 2 - 3 and 2 - 4 - 5; at 5. */
static void two_branches(struct fixture *f)
{
    for (uint64_t n = 1; n <= 100; n *= 10) {
        hit(f, 0, SLICE("n/a"), n);
        store(f, 0, UINT32_MAX);
    }
    window_leave(&f->window);
    for (uint64_t n = 1000; n <= 10000; n *= 10) {
        hit(f, 0, SLICE("n/a"), n);
        store(f, 0, UINT32_MAX);
    }
}

static void test_two_branches_meet_where_they_parted(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    two_branches(&f);
    const struct window *w = &f.window;
    uint64_t two = window_find(w, &(struct ledger){2, 20}), three = window_find(w, &(struct ledger){3, 30});
    assert_int_equal(window_meet(w, w->at, three), two);
    assert_int_equal(window_meet(w, three, w->at), two);
    assert_int_equal(window_meet(w, w->at, two), two);
    assert_int_equal(window_entry(w, w->at)->total, 11011);
    assert_int_equal(window_entry(w, three)->total, 111);
    assert_true(window_is_whole(w, w->at));
    fixture_fini(&f);
}

static void test_the_next_process_hears_of_the_ends_of_other_branches(void **state)
{
    struct fixture f;
    struct journal_stored stored;
    struct window next;
    (void)state;

    fixture_init(&f, 100);
    two_branches(&f);
    window_note_tips(&f.window);
    window_recent(&f.window, &stored);
    assert_int_equal(stored.count, 4);
    assert_int_equal(stored.entries[3].ledger.seq, 5);
    assert_int_equal(stored.tips_count, 1);
    assert_int_equal(stored.tips[0].ledger.seq, 3);
    assert_int_equal(stored.tips[0].fork_seq, 2);
    assert_int_equal(stored.tips[0].hits, 100);
    window_init(&next, KEEP_MS, 100);
    window_recall(&next, &stored, &(struct ledger){5, 50}, 0);
    uint64_t three = window_find(&next, &(struct ledger){3, 30});
    assert_int_equal(window_entry(&next, three)->blind, 100);
    assert_int_equal(window_entry(&next, window_meet(&next, next.at, three))->ledger.seq, 2);
    window_fini(&next);
    fixture_fini(&f);
}

/* The end of what a store held whose ledger was gone is one that another copy may show, for as long as tips are kept,
 * however many batches the next processes store. */
static void test_the_next_process_hears_of_the_ledger_that_was_gone(void **state)
{
    struct fixture f;
    struct journal_stored stored;
    struct window next;
    (void)state;

    fixture_init(&f, 100);
    f.seq = 40;
    empty_batches(&f, 42);
    const struct ledger gone = window_entry(&f.window, f.window.at)->ledger;
    window_begin_anew(&f.window, 0);
    f.seq = 0;
    empty_batches(&f, JOURNAL_STORED_MAX);
    const struct ledger acked = window_entry(&f.window, f.window.at)->ledger;
    window_recent(&f.window, &stored);
    for (int life = 0; life < 3; life++) {
        assert_int_equal(stored.tips_count, 1);
        assert_true(ledger_equals(&stored.tips[0].ledger, &gone));
        assert_int_equal(stored.tips[0].hits, 0);
        window_init(&next, KEEP_MS, 100);
        window_recall(&next, &stored, &acked, 0);
        const struct window_entry *e = window_entry(&next, window_find(&next, &gone));
        assert_non_null(e);
        assert_int_equal(e->blind, 0);
        assert_true(e->dark);
        window_recent(&next, &stored);
        window_fini(&next);
    }
    fixture_fini(&f);
}

/* It cannot store any of it again, but it can say what is gone. */
static void test_the_next_process_hears_of_a_loss_for_as_long_as_a_window(void **state)
{
    const uint64_t now_ms = 7000000;
    struct fixture f;
    struct journal_stored stored;
    struct window next;
    (void)state;

    fixture_init(&f, 100);
    window_init(&next, KEEP_MS, 100);
    assert_int_equal(window_ends_ms(&next), 0);
    empty_batches(&f, 3);
    const struct ledger acked = window_entry(&f.window, f.window.at)->ledger;
    window_recent(&f.window, &stored);
    window_recall(&next, &stored, &acked, now_ms);
    assert_int_equal(window_ends_ms(&next), now_ms + KEEP_MS);
    window_fini(&next);
    fixture_fini(&f);
}

static void test_what_is_forgotten_of_a_branch_that_was_left_is_blind(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 100);
    two_branches(&f);
    window_expire(&f.window, KEEP_MS + 1);
    assert_int_equal(window_entry(&f.window, 2)->blind, 100);
    assert_int_equal(window_entry(&f.window, 1)->blind, 0);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_knows_what_was_ours),
        cmocka_unit_test(test_the_oldest_ledger_is_forgotten_first),
        cmocka_unit_test(test_of_ledgers_older_than_the_window_only_the_last_ones_are_known),
        cmocka_unit_test(test_the_window_leaves_out_refused_keys),
        cmocka_unit_test(test_cells_are_known_as_long_as_the_window_is),
        cmocka_unit_test(test_parts_beyond_the_bound_are_forgotten_oldest_first),
        cmocka_unit_test(test_two_branches_meet_where_they_parted),
        cmocka_unit_test(test_the_next_process_hears_of_the_ends_of_other_branches),
        cmocka_unit_test(test_the_next_process_hears_of_the_ledger_that_was_gone),
        cmocka_unit_test(test_the_next_process_hears_of_a_loss_for_as_long_as_a_window),
        cmocka_unit_test(test_what_is_forgotten_of_a_branch_that_was_left_is_blind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
