/* What a chain makes of a ledger that names another node of its history: another copy of the store answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/chain_fixture.h"

/* A server stores 1 hit, and then 10. Returns the ledger between the two. */
static struct ledger init_with_1_and_10(struct fixture *f)
{
    chain_fixture_init_with(f, 60000, LEDGER_LOSS_RESUME);
    send_hits(f, 1);
    answer(f);
    struct ledger one = f->chain.history.acked;
    send_hits(f, 10);
    answer(f);
    return one;
}

/* B.1, B.2 after a loss, back to A.2, where B's hits are stored again; and back to B.1, which has some of them. */
static void test_between_two_pasts_nothing_is_stored_twice(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    send_hits(&f, 2);
    answer(&f);
    struct ledger a = f.chain.history.acked;
    assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
    send_hits(&f, 10);
    answer(&f);
    struct ledger b = f.chain.history.acked;
    send_hits(&f, 20);
    answer(&f);
    assert_int_equal(reconcile(&f, &a), CHAIN_GIVEN_UP);
    send_hits(&f, 100);
    assert_int_equal(f.chain.batch->hits, 130);
    answer(&f);
    assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 13, 0, 0);
    send_hits(&f, 0);
    assert_int_equal(f.chain.batch->hits, 120);
    assert_int_equal(f.world.stats.alarms_identity_taken, 0);
    chain_fixture_fini(&f);
}

/* A batch that was given up when the name led to another copy: the first copy had executed it. */
static void test_a_batch_that_was_given_up_is_known_when_its_server_comes_back(void **state)
{
    (void)state;

    for (int refused = 0; refused < 2; refused++) {
        struct fixture f;
        struct ledger b = init_with_1_and_10(&f);
        send_hits(&f, 100);
        struct ledger a = f.chain.batch->ledger;
        assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP); /* another copy, which lacks the 10 */
        assert_chain_books(&f, 1, 0, 0);
        send_hits(&f, 1000);
        assert_int_equal(f.chain.batch->hits, 1110);
        answer(&f);
        assert_int_equal(reconcile(&f, &a), CHAIN_PROVED); /* the first one, which has the 100 as well */
        assert_chain_books(&f, 11, 100, 0);
        if (refused)
            batch_refuse(f.chain.proved, 0, REDIS_ERROR_WRONGTYPE);
        f.chain.proved->examined = true;
        assert_int_equal(reconcile(&f, &a), CHAIN_RESOLVED);
        assert_chain_books(&f, refused ? 11 : 111, 0, 0);
        assert_int_equal(world_books(&f.world).poisoned, refused ? 100 : 0);
        assert_int_equal(f.world.stats.alarms_identity_taken, 0);
        chain_fixture_fini(&f);
    }
}

/* The way back to A is known, but not any more what was in A's last batch: it may be in what is pending. */
static void test_what_nobody_knows_any_more_is_given_up_and_not_doubled(void **state)
{
    struct fixture f;
    (void)state;

    struct ledger b = init_with_1_and_10(&f);
    struct ledger a = f.chain.history.acked;
    assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
    f.world.now_us += 61000000;
    assert_int_equal(reconcile(&f, &a), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 11, 0, 0);
    send_hits(&f, 100);
    assert_int_equal(f.chain.batch->hits, 100);
    chain_fixture_fini(&f);
}

/* A has 1, 10 and 100, the last of it unheard; B has 1 and what was sent again. When A comes back, nobody knows any
 * more in which keys its 10 was, so what is pending is given up, and no key accounts for the 100 when A shows them. */
static void test_what_a_revived_batch_has_beside_its_keys_is_found_and_left_like_the_rest(void **state)
{
    (void)state;

    for (int gone = 0; gone < 2; gone++) {
        struct fixture f;
        struct ledger b = init_with_1_and_10(&f);
        struct ledger ten = f.chain.history.acked;
        f.world.now_us += 30000000;
        send_hits(&f, 100);
        struct ledger a = f.chain.batch->ledger;
        assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
        send_hits(&f, 1000);
        answer(&f);
        b = f.chain.history.acked;
        f.world.now_us += 31000000;
        assert_int_equal(reconcile(&f, &a), CHAIN_PROVED);
        assert_chain_books(&f, 11, 0, 1100);
        if (gone) { /* before it is proved; when it comes again, there is no key to look at */
            assert_int_equal(reconcile(&f, &ten), CHAIN_GIVEN_UP);
            assert_chain_books(&f, 11, 0, 1100);
        }
        assert_int_equal(reconcile(&f, &a), gone ? CHAIN_GIVEN_UP : CHAIN_RESOLVED);
        assert_chain_books(&f, 111, 0, 1000);
        assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
        assert_chain_books(&f, 1111, 0, 0);
        chain_fixture_fini(&f);
    }
}

/* What A lost, and what B made of it, when only one of the two is still known. */
static void test_a_loss_is_not_counted_when_the_copy_that_comes_back_has_it(void **state)
{
    struct fixture f;
    (void)state;

    struct ledger b = init_with_1_and_10(&f);
    struct ledger a = f.chain.history.acked;
    f.world.now_us += 61000000;
    assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 1, 0, 10);
    assert_int_equal(reconcile(&f, &a), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 11, 0, 0);
    chain_fixture_fini(&f);
}

static void test_nothing_moves_for_a_server_that_takes_no_writes(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_REPLAY);
    send_hits(&f, 1);
    answer(&f);
    struct ledger old = f.chain.history.acked;
    send_hits(&f, 10);
    answer(&f);
    assert_int_equal(chain_reconcile(&f.chain, &old), CHAIN_ASKS);
    assert_int_equal(chain_reconcile(&f.chain, &old), CHAIN_ASKS);
    assert_int_equal(chain_reconcile(&f.chain, NULL), CHAIN_ASKS);
    assert_non_null(chain_probe(&f.chain));
    chain_probed(&f.chain);
    chain_unlink(&f.chain);
    assert_int_equal(chain_reconcile(&f.chain, NULL), CHAIN_ASKS);
    assert_non_null(chain_probe(&f.chain));
    chain_probed(&f.chain);
    assert_int_equal(chain_reconcile(&f.chain, &old), CHAIN_ASKS); /* it was not asked with this one */
    assert_int_equal(chain_reconcile(&f.chain, &(struct ledger){7, 7}), CHAIN_ASKS);
    assert_int_equal(chain_reconcile_nonsense(&f.chain), CHAIN_ASKS);
    assert_chain_books(&f, 11, 0, 0);
    assert_int_equal(f.world.stats.alarms, 0);
    chain_fixture_fini(&f);
}

/* After a loss a batch without hits is forgotten, and comes back: what was stored before it is there all the time. */
static void test_an_empty_batch_that_comes_back_repeats_nothing(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
    send_hits(&f, 10);
    answer(&f);
    struct ledger first = f.chain.history.acked;
    send_hits(&f, 20);
    assert_int_equal(chain_replace(&f.chain), 0);
    struct ledger empty = f.chain.batch->ledger;
    assert_int_equal(reconcile(&f, &empty), CHAIN_RESOLVED);
    assert_int_equal(reconcile(&f, &first), CHAIN_GIVEN_UP);
    send_hits(&f, 0);
    answer(&f);
    assert_int_equal(reconcile(&f, &empty), CHAIN_GIVEN_UP);
    assert_chain_books(&f, 11, 0, 0);
    send_hits(&f, 0);
    assert_int_equal(f.chain.batch->hits, 20);
    chain_fixture_fini(&f);
}

/* Nothing is known of how A came to its ledger: an earlier life of this identity wrote it. Neither A nor what else is
 * known is a stranger's after that. */
static void test_after_a_ledger_that_leads_nowhere_all_copies_are_still_known(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_RESUME);
    send_hits(&f, 1);
    answer(&f);
    send_hits(&f, 10);
    answer(&f);
    struct ledger b = f.chain.history.acked;
    const struct ledger a = history_next(&f.chain.history); /* of this identity, and in no window */
    f.chain.history.window.off_seq_gone = a.seq;
    assert_int_equal(reconcile(&f, &a), CHAIN_GIVEN_UP);
    assert_int_equal(f.world.stats.unproved_hits, 11);
    send_hits(&f, 100);
    answer(&f);
    assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
    send_hits(&f, 1000);
    assert_int_equal(f.chain.batch->hits, 1000); /* B may have the 100 or not */
    answer(&f);
    assert_int_equal(reconcile(&f, &a), CHAIN_GIVEN_UP);
    assert_int_equal(f.world.stats.alarms_identity_taken, 0);
    assert_string_equal(f.chain.history.instance, "one");
    chain_fixture_fini(&f);
}

/* The batch that was given up is a branch of its own, and so is what is before it: it may never have been executed. */
static void test_a_batch_that_was_given_up_does_not_hide_the_one_before_it(void **state)
{
    struct journal_stored stored;
    struct fixture f;
    (void)state;

    struct ledger b = init_with_1_and_10(&f);
    struct ledger a = f.chain.history.acked;
    send_hits(&f, 100);
    struct ledger open = f.chain.batch->ledger;
    assert_int_equal(reconcile(&f, &b), CHAIN_GIVEN_UP);
    window_recent(&f.chain.history.window, &stored);
    assert_int_equal(stored.tips_count, 2);
    assert_true(ledger_equals(&stored.tips[0].ledger, &open));
    assert_true(ledger_equals(&stored.tips[1].ledger, &a));
    chain_fixture_fini(&f);
}

struct witness {
    struct fixture f; /* first: the env's context is its world */
    void *journal;
    uint32_t journal_bytes;
    struct journal_stored stored; /* what the next process would read at the first step */
    int steps;
};

static void see_the_step(void *ctx, enum env_step step)
{
    struct witness *w = ctx;
    struct journal_view view;

    if (step != ENV_STEP_INTENT || w->steps++)
        return;
    assert_int_equal(journal_read((struct slice){w->journal, w->journal_bytes}, &view), JOURNAL_WHOLE);
    assert_non_null(view.step);
    w->stored = *view.stored;
}

/* With a journal, as recovery leaves it. */
static void witness_init(struct witness *w)
{
    struct journal j;

    *w = (struct witness){.journal_bytes = journal_bytes(100)};
    w->journal = calloc(1, w->journal_bytes);
    chain_fixture_init_with(&w->f, 60000, LEDGER_LOSS_RESUME);
    journal_open(&j, w->journal, w->journal_bytes, &w->f.world.env);
    journal_acknowledge(&j, "one", &(struct ledger){0}, &(struct journal_stored){0});
    struct chain_config config = w->f.chain.config;
    config.history.journal = w->journal;
    config.history.journal_bytes = w->journal_bytes;
    chain_fini(&w->f.chain);
    assert_int_equal(chain_init(&w->f.chain, &config), 0);
}

/* A step of a move takes the place of the record of the batch that was sent. A process that is killed right behind it
 * has a successor that knows of that batch all the same. */
static void test_the_next_process_knows_of_the_batch_that_a_move_gave_up(void **state)
{
    struct witness w;
    (void)state;

    witness_init(&w);
    send_hits(&w.f, 1);
    answer(&w.f);
    struct ledger b = w.f.chain.history.acked;
    send_hits(&w.f, 10);
    answer(&w.f);
    send_hits(&w.f, 100);
    struct ledger open = w.f.chain.batch->ledger;
    w.f.world.env.step = see_the_step;
    assert_int_equal(reconcile(&w.f, &b), CHAIN_GIVEN_UP);
    assert_int_equal(w.steps, 1);
    uint32_t i = 0;
    while (i < w.stored.tips_count && !ledger_equals(&w.stored.tips[i].ledger, &open))
        i++;
    assert_in_range(i, 0, w.stored.tips_count - 1);
    assert_int_equal(w.stored.tips[i].fork_seq, b.seq);
    assert_int_equal(w.stored.tips[i].hits, 110);
    chain_fixture_fini(&w.f);
    free(w.journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_between_two_pasts_nothing_is_stored_twice),
        cmocka_unit_test(test_a_batch_that_was_given_up_is_known_when_its_server_comes_back),
        cmocka_unit_test(test_what_nobody_knows_any_more_is_given_up_and_not_doubled),
        cmocka_unit_test(test_what_a_revived_batch_has_beside_its_keys_is_found_and_left_like_the_rest),
        cmocka_unit_test(test_a_loss_is_not_counted_when_the_copy_that_comes_back_has_it),
        cmocka_unit_test(test_nothing_moves_for_a_server_that_takes_no_writes),
        cmocka_unit_test(test_after_a_ledger_that_leads_nowhere_all_copies_are_still_known),
        cmocka_unit_test(test_a_batch_that_was_given_up_does_not_hide_the_one_before_it),
        cmocka_unit_test(test_the_next_process_knows_of_the_batch_that_a_move_gave_up),
        cmocka_unit_test(test_an_empty_batch_that_comes_back_repeats_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
