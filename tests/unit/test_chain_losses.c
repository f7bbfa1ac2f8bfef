/* What a chain makes of a ledger that is behind, missing or not its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/chain_fixture.h"

static void test_a_rollback_without_a_replay_window_is_a_number(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.history.acked;
    send_hits(&f, 10);
    answer(&f);
    send_hits(&f, 100);
    answer(&f);
    send_hits(&f, 1000); /* under way */
    assert_int_equal(reconcile(&f, &old), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 1, 0, 110);
    assert_int_equal(keys_dirty(f.keys), 1);
    send_hits(&f, 1);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    chain_fixture_fini(&f);
}

static void test_a_rollback_within_the_replay_window_is_stored_again(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.history.acked;
    send_hits(&f, 10);
    answer(&f);
    send_hits(&f, 100);
    answer(&f);
    send_hits(&f, 1000); /* under way */
    assert_int_equal(reconcile(&f, &old), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 1, 0, 0);
    assert_int_equal(world_books(&f.world).rolled_back, 110);
    assert_int_equal(f.world.stats.replayed_hits, 110);
    send_hits(&f, 10000);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    assert_int_equal(f.chain.batch->hits, 11110);
    answer(&f);
    assert_chain_books(&f, 11111, 0, 0);
    chain_fixture_fini(&f);
}

static void test_a_rollback_beyond_the_replay_window_is_lost(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.history.acked;
    send_hits(&f, 10);
    answer(&f);
    f.world.now_us += 60001000;
    send_hits(&f, 100);
    answer(&f);
    assert_int_equal(reconcile(&f, &old), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 1, 0, 10);
    assert_int_equal(f.world.stats.replayed_hits, 100);
    chain_fixture_fini(&f);
}

/* The process before stored 1, 10, 100 hits as batches 5, 6, 7, and died. */
static void test_a_rollback_of_what_an_earlier_process_stored_is_counted(void **state)
{
    const struct journal_stored stored = {.entries = {{{5, 50}, 1}, {{6, 60}, 10}, {{7, 70}, 100}}, .count = 3};
    static const struct {
        struct ledger server;
        const char *said;
        uint64_t lost;
    } cases[] = {{{5, 50}, " acked=7 hits_replayed=0 hits_lost=110 hits_found=0", 110},
                 {{4, 40}, " acked=7 hits_replayed=0 hits_lost=111 hits_found=0", 111},
                 {{3, 30}, " acked=7 hits_replayed=0 hits_lost_at_least=111 hits_found=0", 111}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct journal before;
        uint32_t bytes = journal_bytes(100);
        void *area = calloc(1, bytes);
        chain_fixture_init(&f);
        journal_open(&before, area, bytes, &f.world.env);
        journal_acknowledge(&before, "one", &(struct ledger){7, 70}, &stored);
        struct chain_config config = f.chain.config;
        config.history.journal = area;
        config.history.journal_bytes = bytes;
        chain_fini(&f.chain);
        assert_int_equal(chain_init(&f.chain, &config), 0);
        assert_int_equal(reconcile(&f, &cases[i].server), CHAIN_GIVEN_UP);
        assert_string_equal(f.world.last_numbers, cases[i].said);
        assert_chain_books(&f, (uint64_t)0 - cases[i].lost, 0, cases[i].lost);
        assert_int_equal(world_books(&f.world).rolled_back, cases[i].lost);
        chain_fixture_fini(&f);
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
        chain_fixture_init_with(&f, 60000, policy);
        send_hits(&f, 10);
        answer(&f);
        assert_int_equal(reconcile(&f, NULL), news[policy]);
        assert_chain_books(&f, stored[policy], 0, 0);
        assert_int_equal(keys_dirty(f.keys), dirty[policy]);
        assert_int_equal(f.world.stats.alarms_ledger_missing, 1);
        assert_int_equal(f.world.stats.unproved_hits, policy == LEDGER_LOSS_RESUME ? 10 : 0);
        chain_fixture_fini(&f);
    }
}

/* What was stored on a server of lineage 7 is owed to one of another lineage that never had the ledger. */
static void test_a_copy_that_never_had_the_ledger_gets_what_was_stored_since_it_began(void **state)
{
    static const struct {
        uint64_t lineage;
        bool anew, replayed;
    } cases[] = {{7, false, false}, {0, false, false}, {8, false, true}, {8, true, true}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
        chain_ask(&f.chain, 7);
        if (cases[i].anew) { /* what was stored under the ledger before is not owed to anybody */
            send_hits(&f, 1000);
            answer(&f);
            assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
        }
        send_hits(&f, 1);
        answer(&f);
        send_hits(&f, 10);
        answer(&f);
        send_hits(&f, 100);
        chain_ask(&f.chain, cases[i].lineage);
        assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
        uint64_t before = cases[i].anew ? 1000 : 0;
        assert_chain_books(&f, before + (cases[i].replayed ? 0 : 11), 0, 0);
        assert_int_equal(f.world.stats.unproved_hits, before + (cases[i].replayed ? 0 : 11));
        send_hits(&f, 0);
        assert_int_equal(f.chain.batch->hits, cases[i].replayed ? 111 : 100);
        assert_int_equal(f.chain.batch->ledger.seq, 1);
        chain_fixture_fini(&f);
    }
}

/* The window has forgotten what was stored first: that much cannot be stored again, and nobody knows whether it must.
 */
static void test_a_copy_without_the_ledger_is_met_by_the_policy_once_the_window_has_passed(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    chain_ask(&f.chain, 7);
    send_hits(&f, 1);
    answer(&f);
    f.world.now_us += 61000000;
    send_hits(&f, 10);
    answer(&f);
    chain_ask(&f.chain, 8);
    assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 11, 0, 0);
    assert_int_equal(f.world.stats.unproved_hits, 11);
    chain_fixture_fini(&f);
}

/* A replica without the ledger took over, and after it one that has it again. */
static void test_a_ledger_from_before_a_loss_is_no_stranger(void **state)
{
    (void)state;

    for (enum ledger_loss policy = LEDGER_LOSS_RESUME; policy <= LEDGER_LOSS_REPLAY; policy++) {
        struct fixture f;
        chain_fixture_init_with(&f, 60000, policy);
        send_hits(&f, 1);
        answer(&f);
        send_hits(&f, 10);
        answer(&f);
        struct ledger old = f.chain.history.acked;
        assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
        send_hits(&f, 100); /* with the 11 that are stored again */
        answer(&f);
        assert_int_equal(reconcile(&f, &old), CHAIN_GIVEN_UP);
        assert_int_equal(f.world.stats.alarms_identity_taken, 0);
        assert_int_equal(f.world.stats.alarms_rollback, 1);
        assert_string_equal(f.chain.history.instance, "one");
        assert_true(ledger_equals(&f.chain.history.acked, &old));
        assert_chain_books(&f, 11, 0, 0); /* which is what the store has, and the 100 are pending */
        send_hits(&f, 1000);
        assert_int_equal(f.chain.batch->hits, 1100);
        assert_int_equal(f.chain.batch->ledger.seq, 3);
        chain_fixture_fini(&f);
    }
}

static void test_a_loss_is_believed_sooner_when_another_node_vouches_for_the_master(void **state)
{
    (void)state;

    for (int vouched = 0; vouched < 2; vouched++) {
        struct fixture f;
        chain_fixture_init(&f);
        f.chain.config.loss_vouched_ms = 2000;
        f.chain.config.loss_alone_ms = 20000;
        send_hits(&f, 1);
        answer(&f);
        struct ledger old = f.chain.history.acked;
        send_hits(&f, 10);
        answer(&f);
        chain_vouch(&f.chain, f.world.now_us / 1000); /* before it looked lost: of no use */
        f.world.now_us += 1000000;
        chain_ask(&f.chain, 0);
        assert_int_equal(reconcile(&f, &old), CHAIN_DOUBTED);
        f.world.now_us += 1000000;
        if (vouched)
            chain_vouch(&f.chain, f.world.now_us / 1000);
        chain_ask(&f.chain, 0);
        assert_int_equal(reconcile(&f, &old), CHAIN_DOUBTED);
        f.world.now_us += vouched ? 999000 : 18999000;
        chain_ask(&f.chain, 0);
        f.world.now_us += 1000; /* the answer comes late: what it says may be as old as the question */
        assert_int_equal(reconcile(&f, &old), CHAIN_DOUBTED);
        chain_ask(&f.chain, 0);
        assert_int_equal(reconcile(&f, &old), CHAIN_GIVEN_UP);
        assert_int_equal(world_books(&f.world).lost, 10);
        chain_fixture_fini(&f);
    }
}

static void test_a_doubt_does_not_go_along_to_another_node(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    f.chain.config.loss_vouched_ms = f.chain.config.loss_alone_ms = 2000;
    send_hits(&f, 1);
    answer(&f);
    assert_int_equal(reconcile(&f, NULL), CHAIN_DOUBTED);
    f.world.now_us += 1999000;
    chain_leave(&f.chain);
    f.world.now_us += 1000;
    chain_ask(&f.chain, 0);
    assert_int_equal(reconcile(&f, NULL), CHAIN_DOUBTED);
    chain_fixture_fini(&f);
}

static void test_an_old_seq_with_a_nonce_that_was_never_ours_is_foreign(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 1);
    answer(&f);
    send_hits(&f, 10);
    answer(&f);
    assert_int_equal(reconcile(&f, &(struct ledger){1, 12345}), CHAIN_RENAMED);
    assert_string_not_equal(f.chain.history.instance, "one");
    assert_non_null(strstr(f.chain.history.ledger_key, f.chain.history.instance));
    assert_chain_books(&f, 11, 0, 0);
    assert_int_equal(f.chain.history.acked.seq, 0);
    chain_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rollback_without_a_replay_window_is_a_number),
        cmocka_unit_test(test_a_rollback_within_the_replay_window_is_stored_again),
        cmocka_unit_test(test_a_rollback_beyond_the_replay_window_is_lost),
        cmocka_unit_test(test_a_rollback_of_what_an_earlier_process_stored_is_counted),
        cmocka_unit_test(test_a_missing_ledger_is_met_as_it_was_configured),
        cmocka_unit_test(test_a_copy_that_never_had_the_ledger_gets_what_was_stored_since_it_began),
        cmocka_unit_test(test_a_copy_without_the_ledger_is_met_by_the_policy_once_the_window_has_passed),
        cmocka_unit_test(test_a_ledger_from_before_a_loss_is_no_stranger),
        cmocka_unit_test(test_a_loss_is_believed_sooner_when_another_node_vouches_for_the_master),
        cmocka_unit_test(test_a_doubt_does_not_go_along_to_another_node),
        cmocka_unit_test(test_an_old_seq_with_a_nonce_that_was_never_ours_is_foreign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
