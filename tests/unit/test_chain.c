/* What the ledger says, and what becomes of batches: without any connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flush/chain.h"
#include "world.h"

struct fixture {
    struct world world; /* for its env and tally */
    struct keyspace space;
    struct keys *keys;
    struct accounts accounts;
    struct chain chain;
};

static void fixture_init_with(struct fixture *f, uint64_t replay_window_ms, enum ledger_loss on_ledger_loss)
{
    world_init(&f->world);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->world.tally, &f->space), 0);
    f->accounts =
        (struct accounts){.env = &f->world.env, .keys = f->keys, .books = &f->world.books, .stats = &f->world.stats};
    assert_int_equal(chain_init(&f->chain, &(struct chain_config){.past = {.accounts = &f->accounts,
                                                                           .prefix = SLICE("t:"),
                                                                           .instance = "one",
                                                                           .replay_window_ms = replay_window_ms,
                                                                           .replay_parts_max = 1000},
                                                                  .batch_keys_max = 10,
                                                                  .on_ledger_loss = on_ledger_loss}),
                     0);
}

static void fixture_init(struct fixture *f) { fixture_init_with(f, 0, LEDGER_LOSS_RESUME); }

static void fixture_fini(struct fixture *f)
{
    chain_fini(&f->chain);
    keys_destroy(f->keys);
    world_fini(&f->world);
}

/* A batch of `n` hits, sent once. */
static void send_hits(struct fixture *f, uint64_t n)
{
    world_hit(&f->world, 0, "n/a", n);
    keys_collect(f->keys);
    assert_int_equal(chain_make_batch(&f->chain, f->world.now_us / 1000), 0);
    assert_non_null(f->chain.batch);
    f->chain.batch->copies++;
}

static void answer(struct fixture *f)
{
    const struct reply items[] = {{.type = REPLY_INTEGER, .integer = 1}, {.type = REPLY_STATUS, .text = SLICE("OK")}};
    const struct reply exec = {.type = REPLY_ARRAY, .items = items, .items_count = 2};

    assert_true(chain_answered(&f->chain, &exec));
}

static void assert_books(struct fixture *f, uint64_t stored, uint64_t in_flight, uint64_t lost)
{
    struct flusher_books b = world_books(&f->world);

    assert_int_equal(b.stored, stored);
    assert_int_equal(b.in_flight, in_flight);
    assert_int_equal(b.lost, lost);
}

static void test_a_batch_follows_the_acknowledged_one(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    send_hits(&f, 5);
    assert_int_equal(f.chain.batch->ledger.seq, 1);
    assert_false(chain_is_sure(&f.chain));
    answer(&f);
    assert_null(f.chain.batch);
    assert_true(chain_is_sure(&f.chain));
    send_hits(&f, 5);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    assert_books(&f, 5, 5, 0);
    fixture_fini(&f);
}

static void test_a_batch_in_doubt_keeps_its_bytes(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    send_hits(&f, 5);
    char *bytes = strndup(f.chain.batch->bytes.data, f.chain.batch->bytes.bytes);
    world_hit(&f.world, 0, "n/a", 100);
    keys_collect(f.keys);
    assert_int_equal(chain_reconcile(&f.chain, NULL), CHAIN_UNCHANGED);
    assert_memory_equal(f.chain.batch->bytes.data, bytes, f.chain.batch->bytes.bytes);
    free(bytes);
    fixture_fini(&f);
}

/* The ledger says that a batch was applied, and its keys look well. */
static enum chain_news resolve(struct fixture *f, const struct ledger *server)
{
    enum chain_news news = chain_reconcile(&f->chain, server);

    if (news != CHAIN_PROVED)
        return news;
    f->chain.proved->examined = true;
    return chain_reconcile(&f->chain, server);
}

static void test_our_nonce_in_the_ledger_is_proof(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    send_hits(&f, 5);
    struct ledger server = f.chain.batch->ledger;
    assert_int_equal(resolve(&f, &server), CHAIN_RESOLVED);
    assert_books(&f, 5, 0, 0);
    assert_int_equal(chain_reconcile(&f.chain, &server), CHAIN_UNCHANGED);
    fixture_fini(&f);
}

static void test_a_key_that_was_found_refused_is_kept_aside(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init_with(&f, 60000, LEDGER_LOSS_REPLAY);
    world_hit(&f.world, 0, "n/b", 7);
    send_hits(&f, 5);
    struct ledger server = f.chain.batch->ledger;
    uint32_t first = keys_find(f.keys, SLICE("n/b")) == f.chain.batch->items[0].key;
    assert_int_equal(chain_reconcile(&f.chain, &server), CHAIN_PROVED);
    batch_refuse(f.chain.proved, first, REDIS_ERROR_WRONGTYPE); /* of n/a */
    f.chain.proved->examined = true;
    assert_int_equal(chain_reconcile(&f.chain, &server), CHAIN_RESOLVED);
    assert_books(&f, 7, 0, 0);
    assert_int_equal(world_books(&f.world).poisoned, 5);
    assert_int_equal(keys_held(f.keys), 1);
    assert_int_equal(chain_reconcile(&f.chain, NULL), CHAIN_GIVEN_UP);
    assert_int_equal(f.world.stats.replayed_hits, 7); /* what was never stored is not stored again */
    fixture_fini(&f);
}

static void test_a_look_proves_nothing_once_the_server_has_forgotten_the_batch(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    send_hits(&f, 5);
    answer(&f);
    send_hits(&f, 6);
    struct ledger server = f.chain.batch->ledger;
    assert_int_equal(chain_reconcile(&f.chain, &server), CHAIN_PROVED);
    assert_int_equal(chain_reconcile(&f.chain, &f.chain.past.acked), CHAIN_UNCHANGED);
    assert_null(f.chain.proved);
    assert_non_null(f.chain.batch); /* to be sent again */
    assert_int_equal(chain_reconcile(&f.chain, &server), CHAIN_PROVED);
    assert_int_equal(chain_reconcile_nonsense(&f.chain), CHAIN_RENAMED);
    assert_null(f.chain.proved);
    fixture_fini(&f);
}

static void test_of_a_batch_and_its_replacement_one_counts(void **state)
{
    (void)state;

    for (int replaced = 0; replaced < 2; replaced++) {
        struct fixture f;
        fixture_init(&f);
        send_hits(&f, 5);
        assert_int_equal(chain_replace(&f.chain), 0);
        assert_int_equal(f.chain.batch->items_count, 0);
        assert_int_equal(f.chain.batch->ledger.seq, f.chain.replaced->ledger.seq);
        assert_int_not_equal(f.chain.batch->ledger.nonce, f.chain.replaced->ledger.nonce);
        struct ledger server = replaced ? f.chain.replaced->ledger : f.chain.batch->ledger;
        assert_int_equal(resolve(&f, &server), CHAIN_RESOLVED);
        assert_null(f.chain.batch);
        assert_null(f.chain.replaced);
        assert_books(&f, replaced ? 5 : 0, 0, 0);
        assert_int_equal(keys_dirty(f.keys), replaced ? 0 : 1);
        fixture_fini(&f);
    }
}

static void test_a_rollback_without_a_replay_window_is_a_number(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.past.acked;
    send_hits(&f, 10);
    answer(&f);
    send_hits(&f, 100);
    answer(&f);
    send_hits(&f, 1000); /* under way */
    assert_int_equal(chain_reconcile(&f.chain, &old), CHAIN_GIVEN_UP);
    assert_books(&f, 1, 0, 110);
    assert_int_equal(keys_dirty(f.keys), 1);
    send_hits(&f, 1);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    fixture_fini(&f);
}

static void test_a_rollback_within_the_replay_window_is_stored_again(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.past.acked;
    send_hits(&f, 10);
    answer(&f);
    send_hits(&f, 100);
    answer(&f);
    send_hits(&f, 1000); /* under way */
    assert_int_equal(chain_reconcile(&f.chain, &old), CHAIN_GIVEN_UP);
    assert_books(&f, 1, 0, 0);
    assert_int_equal(world_books(&f.world).rolled_back, 110);
    assert_int_equal(f.world.stats.replayed_hits, 110);
    send_hits(&f, 10000);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    assert_int_equal(f.chain.batch->hits, 11110);
    answer(&f);
    assert_books(&f, 11111, 0, 0);
    fixture_fini(&f);
}

static void test_a_rollback_beyond_the_replay_window_is_lost(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.past.acked;
    send_hits(&f, 10);
    answer(&f);
    f.world.now_us += 60001000;
    send_hits(&f, 100);
    answer(&f);
    assert_int_equal(chain_reconcile(&f.chain, &old), CHAIN_GIVEN_UP);
    assert_books(&f, 1, 0, 10);
    assert_int_equal(f.world.stats.replayed_hits, 100);
    fixture_fini(&f);
}

/* The process before stored 1, 10, 100 hits as batches 5, 6, 7, and died. */
static void test_a_rollback_of_what_an_earlier_process_stored_is_counted(void **state)
{
    const struct journal_stored stored = {.entries = {{{5, 50}, 1}, {{6, 60}, 10}, {{7, 70}, 100}}, .count = 3};
    static const struct {
        struct ledger server;
        const char *said;
        uint64_t lost;
    } cases[] = {{{5, 50}, " acked=7 hits_replayed=0 hits_lost=110", 110},
                 {{4, 40}, " acked=7 hits_replayed=0 hits_lost=111", 111},
                 {{3, 30}, " acked=7 hits_replayed=0 hits_lost_at_least=111", 111}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct journal before;
        uint32_t bytes = journal_bytes(100);
        void *area = calloc(1, bytes);
        fixture_init(&f);
        journal_open(&before, area, bytes, &f.world.env);
        journal_acknowledge(&before, "one", &(struct ledger){7, 70}, &stored);
        struct chain_config config = f.chain.config;
        config.past.journal = area;
        config.past.journal_bytes = bytes;
        chain_fini(&f.chain);
        assert_int_equal(chain_init(&f.chain, &config), 0);
        assert_int_equal(chain_reconcile(&f.chain, &cases[i].server), CHAIN_GIVEN_UP);
        assert_string_equal(f.world.last_numbers, cases[i].said);
        assert_books(&f, (uint64_t)0 - cases[i].lost, 0, cases[i].lost);
        assert_int_equal(world_books(&f.world).rolled_back, cases[i].lost);
        fixture_fini(&f);
        free(area);
    }
}

static void test_a_missing_ledger_is_met_as_it_was_configured(void **state)
{
    static const enum chain_news news[] = {CHAIN_GIVEN_UP, CHAIN_GIVEN_UP, CHAIN_HALTED};
    static const uint64_t stored[] = {10, 0, 10}, dirty[] = {0, 1, 0};
    (void)state;

    for (enum ledger_loss policy = LEDGER_LOSS_RESUME; policy <= LEDGER_LOSS_HALT; policy++) {
        struct fixture f;
        fixture_init_with(&f, 60000, policy);
        send_hits(&f, 10);
        answer(&f);
        assert_int_equal(chain_reconcile(&f.chain, NULL), news[policy]);
        assert_books(&f, stored[policy], 0, 0);
        assert_int_equal(keys_dirty(f.keys), dirty[policy]);
        assert_int_equal(f.world.stats.alarms_ledger_missing, 1);
        fixture_fini(&f);
    }
}

static void test_an_old_seq_with_a_nonce_that_was_never_ours_is_foreign(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    send_hits(&f, 1);
    answer(&f);
    send_hits(&f, 10);
    answer(&f);
    assert_int_equal(chain_reconcile(&f.chain, &(struct ledger){1, 12345}), CHAIN_RENAMED);
    assert_string_not_equal(f.chain.past.instance, "one");
    assert_non_null(strstr(f.chain.past.ledger_key, f.chain.past.instance));
    assert_books(&f, 11, 0, 0);
    assert_int_equal(f.chain.past.acked.seq, 0);
    fixture_fini(&f);
}

static void test_a_refused_set_leaves_the_ledger_where_it_was(void **state)
{
    struct fixture f;
    const struct reply items[] = {{.type = REPLY_INTEGER, .integer = 1},
                                  {.type = REPLY_ERROR, .text = SLICE("NOPERM")}};
    const struct reply exec = {.type = REPLY_ARRAY, .items = items, .items_count = 2};
    (void)state;

    fixture_init(&f);
    send_hits(&f, 5);
    assert_false(chain_answered(&f.chain, &exec));
    assert_books(&f, 5, 0, 0);
    assert_int_equal(chain_reconcile(&f.chain, NULL), CHAIN_UNCHANGED);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_follows_the_acknowledged_one),
        cmocka_unit_test(test_a_batch_in_doubt_keeps_its_bytes),
        cmocka_unit_test(test_our_nonce_in_the_ledger_is_proof),
        cmocka_unit_test(test_a_key_that_was_found_refused_is_kept_aside),
        cmocka_unit_test(test_a_look_proves_nothing_once_the_server_has_forgotten_the_batch),
        cmocka_unit_test(test_of_a_batch_and_its_replacement_one_counts),
        cmocka_unit_test(test_a_rollback_without_a_replay_window_is_a_number),
        cmocka_unit_test(test_a_rollback_within_the_replay_window_is_stored_again),
        cmocka_unit_test(test_a_rollback_beyond_the_replay_window_is_lost),
        cmocka_unit_test(test_a_rollback_of_what_an_earlier_process_stored_is_counted),
        cmocka_unit_test(test_a_missing_ledger_is_met_as_it_was_configured),
        cmocka_unit_test(test_an_old_seq_with_a_nonce_that_was_never_ours_is_foreign),
        cmocka_unit_test(test_a_refused_set_leaves_the_ledger_where_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
