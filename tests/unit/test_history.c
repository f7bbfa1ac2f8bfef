#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/history.h"
#include "support/world.h"

#define PARTS_MAX 20

struct fixture {
    struct world world; /* for its env and tally */
    struct keyspace space;
    struct keys *keys;
    struct accounts accounts;
    struct batch batch, other;
    struct flush_options options;
    struct history history;
    void *area; /* of the journal; NULL: none */
    uint32_t bytes;
};

static void history_open(struct fixture *f)
{
    f->options = (struct flush_options){.prefix = "t:", .instance = "one", .replay_window_ms = 60000};
    history_init(&f->history, &(struct history_config){.options = &f->options,
                                                       .accounts = &f->accounts,
                                                       .prefix = SLICE("t:{x}"),
                                                       .number = 0,
                                                       .journal = f->area,
                                                       .journal_bytes = f->area ? f->bytes : 0,
                                                       .replay_parts_max = 1000});
}

static void fixture_init(struct fixture *f, bool journal)
{
    *f = (struct fixture){.bytes = journal_bytes(PARTS_MAX)};
    world_init(&f->world);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->world.tally, &f->space), 0);
    f->accounts =
        (struct accounts){.env = &f->world.env, .keys = f->keys, .books = &f->world.books, .stats = &f->world.stats};
    assert_int_equal(batch_init(&f->batch, 10, UINT32_MAX), 0);
    assert_int_equal(batch_init(&f->other, 10, UINT32_MAX), 0);
    if (journal) { /* as recovery leaves it */
        struct journal j;
        f->area = calloc(1, f->bytes);
        journal_open(&j, f->area, f->bytes, &f->world.env);
        journal_acknowledge(&j, "two", &(struct ledger){3, 30}, &(struct journal_stored){0});
    }
    history_open(f);
}

static void fixture_fini(struct fixture *f)
{
    history_fini(&f->history);
    batch_fini(&f->other);
    batch_fini(&f->batch);
    keys_destroy(f->keys);
    free(f->area);
    world_fini(&f->world);
}

static void make(struct fixture *f, uint64_t hits)
{
    world_hit(&f->world, 0, "n/a", hits);
    keys_collect(f->keys);
    batch_begin(&f->batch, &(struct ledger){f->history.acked.seq + 1, 99});
    batch_fill(&f->batch, f->keys, 0);
    assert_int_equal(history_compose(&f->history, &f->batch), 0);
    assert_int_equal(history_intend(&f->history, &f->batch, false), 0);
}

static void store(struct fixture *f)
{
    batch_item_applied(&f->batch, f->keys, &f->batch.items[0]);
    history_stored(&f->history, &f->batch, f->batch.hits);
}

static enum journal_verdict look(const struct fixture *f, struct journal_view *view)
{
    return journal_read((struct slice){f->area, f->bytes}, view);
}

static void test_a_ledger_is_named_after_prefix_instance_and_partition(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, false);
    assert_string_equal(f.history.ledger_key, "t:{x}!ledger:one:0");
    assert_int_equal(history_parts_max(&f.history), UINT32_MAX);
    make(&f, 5);
    assert_non_null(
        memmem(f.batch.bytes.data, f.batch.bytes.bytes, "t:{x}!ledger:one:0\r\n$18\r\n1 0000000000000063", 43));
    store(&f);
    assert_int_equal(f.history.acked.seq, 1);
    assert_int_equal(f.history.stored_ms, f.world.now_us / 1000);
    fixture_fini(&f);
}

static void test_a_journal_says_who_and_where_and_follows_each_batch(void **state)
{
    struct journal_view view;
    struct fixture f;
    (void)state;

    fixture_init(&f, true);
    assert_string_equal(f.history.instance, "two");
    assert_int_equal(f.history.acked.seq, 3);
    assert_true(history_parts_max(&f.history) >= PARTS_MAX);
    make(&f, 5);
    assert_int_equal(look(&f, &view), JOURNAL_WHOLE);
    assert_int_equal(view.batch->ledger.seq, 4);
    assert_int_equal(view.batch->parts[0].to, 5);
    store(&f);
    assert_int_equal(look(&f, &view), JOURNAL_WHOLE);
    assert_null(view.batch);
    assert_int_equal(view.acked.seq, 4);
    assert_int_equal(view.stored->count, 2); /* the first is the ledger of which nothing more is known */
    assert_int_equal(view.stored->entries[0].hits, 0);
    assert_int_equal(view.stored->entries[1].hits, 5);
    fixture_fini(&f);
}

/* A damaged word of what was acknowledged makes the last record look open. Its cells may have other names by then. */
static void test_a_covered_journal_names_no_cell_even_when_it_is_damaged(void **state)
{
    (void)state;
    struct fixture f;
    struct journal_view view;

    fixture_init(&f, true);
    make(&f, 5);
    store(&f);
    history_cover(&f.history);
    uint64_t generation = f.history.journal.generation;
    history_cover(&f.history);
    assert_int_equal(f.history.journal.generation, generation); /* once is enough */
    assert_int_equal(f.history.acked.seq, 4);
    assert_int_equal(look(&f, &view), JOURNAL_WHOLE);
    assert_null(view.batch);
    struct journal_ack *acks = (struct journal_ack *)(void *)((char *)f.area + 2 * sizeof(uint64_t));
    acks[f.history.journal.ack & 1].resolved ^= 1;
    assert_int_equal(look(&f, &view), JOURNAL_WHOLE);
    assert_non_null(view.batch);
    assert_int_equal(view.batch->ledger.seq, 5);
    assert_int_equal(view.batch->parts_count, 0);
    fixture_fini(&f);
}

static void test_what_was_open_is_resumed_with_its_bytes(void **state)
{
    struct fixture f;
    bool open, replaces;
    (void)state;

    for (int replaced = 0; replaced < 2; replaced++) {
        fixture_init(&f, true);
        make(&f, 5);
        char *bytes = strndup(f.batch.bytes.data, f.batch.bytes.bytes);
        if (replaced) {
            batch_begin(&f.other, &(struct ledger){4, 98});
            assert_int_equal(history_intend(&f.history, &f.other, true), 0);
        }
        history_fini(&f.history);
        history_open(&f);
        struct batch *five = replaced ? &f.other : &f.batch, *last = &f.batch;
        assert_int_equal(history_resume(&f.history, last, &open, &f.other, &replaces), 0);
        assert_true(open);
        assert_int_equal(replaces, replaced);
        assert_int_equal(last->items_count, replaced ? 0 : 1);
        assert_memory_equal(five->bytes.data, bytes, five->bytes.bytes);
        assert_int_equal(five->copies, 1);
        assert_true(five->inherited);
        assert_int_equal(world_books(&f.world).in_flight, 5);
        free(bytes);
        fixture_fini(&f);
    }
}

static void test_what_is_owed_to_a_total_is_known_to_the_next_process(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, true);
    assert_int_equal(keys_keep_sums(f.keys), 0);
    struct sum *sum = sums_at(keys_sums(f.keys), sums_intern(keys_sums(f.keys), SLICE("n")), 0);
    sum->owed = -4;
    history_start_over(&f.history, &(struct ledger){4, 40});
    history_fini(&f.history);
    sum->owed = 0;
    history_open(&f);
    assert_int_equal(sum->owed, -4);
    fixture_fini(&f);
}

static void test_without_a_journal_nothing_was_open(void **state)
{
    struct fixture f;
    bool open, replaces;
    (void)state;

    fixture_init(&f, false);
    assert_int_equal(history_resume(&f.history, &f.batch, &open, &f.other, &replaces), 0);
    assert_false(open || replaces);
    fixture_fini(&f);
}

static void test_a_batch_of_a_cell_that_is_not_there_is_not_resumed(void **state)
{
    const struct journal_part part = {.cell = 7, .from = 0, .to = 5};
    struct fixture f;
    bool open, replaces;
    (void)state;

    fixture_init(&f, true);
    journal_intend(&f.history.journal,
                   &(struct journal_batch){.ledger = {4, 40}, .instance = "two", .parts = &part, .parts_count = 1});
    assert_int_equal(history_resume(&f.history, &f.batch, &open, &f.other, &replaces), -EINVAL);
    fixture_fini(&f);
}

static void test_a_step_is_in_the_journal_before_it_is_made(void **state)
{
    const struct journal_part part = {.cell = 0, .from = 111, .to = 11};
    struct buf parts = {0};
    struct journal_view view;
    struct fixture f;
    (void)state;

    fixture_init(&f, true);
    for (uint64_t hits = 1; hits <= 100; hits *= 10) {
        make(&f, hits);
        store(&f);
    }
    buf_append(&parts, (const char *)&part, sizeof(part));
    assert_int_equal(history_intend_step(&f.history, &(struct ledger){5, 99}, &(struct ledger){4, 99}, 100, &parts), 0);
    assert_int_equal(look(&f, &view), JOURNAL_WHOLE);
    assert_null(view.batch);
    assert_int_equal(view.step->parts[0].to, 11);
    assert_int_equal(view.acked.seq, 5);
    assert_int_equal(view.stored->count, 3);
    assert_int_equal(view.stored->tips_count, 1);
    assert_int_equal(view.stored->tips[0].ledger.seq, 6);
    assert_int_equal(view.stored->tips[0].fork_seq, 5);
    assert_int_equal(view.stored->tips[0].hits, 100);
    buf_fini(&parts);
    fixture_fini(&f);
}

static void test_a_new_identity_has_no_past_and_gives_up_what_it_inherited(void **state)
{
    struct journal_view view;
    struct fixture f;
    (void)state;

    for (int own = 0; own < 2; own++) {
        fixture_init(&f, true);
        world_hit(&f.world, 0, "n/a", 7);
        assert_int_equal(keys_inherit(f.keys), 0);
        if (own) { /* once something of ours is stored, so is the identity */
            make(&f, 1);
            store(&f);
        }
        assert_int_equal(history_rename(&f.history, "three"), own ? 0 : 7);
        assert_string_equal(f.history.ledger_key, "t:{x}!ledger:three:0");
        assert_int_equal(f.history.acked.seq, 0);
        assert_int_equal(look(&f, &view), JOURNAL_WHOLE);
        assert_string_equal(view.instance, "three");
        assert_int_equal(view.stored->count, 0);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ledger_is_named_after_prefix_instance_and_partition),
        cmocka_unit_test(test_a_journal_says_who_and_where_and_follows_each_batch),
        cmocka_unit_test(test_a_covered_journal_names_no_cell_even_when_it_is_damaged),
        cmocka_unit_test(test_what_was_open_is_resumed_with_its_bytes),
        cmocka_unit_test(test_what_is_owed_to_a_total_is_known_to_the_next_process),
        cmocka_unit_test(test_without_a_journal_nothing_was_open),
        cmocka_unit_test(test_a_batch_of_a_cell_that_is_not_there_is_not_resumed),
        cmocka_unit_test(test_a_step_is_in_the_journal_before_it_is_made),
        cmocka_unit_test(test_a_new_identity_has_no_past_and_gives_up_what_it_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
