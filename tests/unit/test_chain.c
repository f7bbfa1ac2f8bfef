/* What becomes of batches: without any connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/chain_fixture.h"

static void test_a_batch_follows_the_acknowledged_one(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 5);
    assert_int_equal(f.chain.batch->ledger.seq, 1);
    assert_false(chain_is_sure(&f.chain));
    answer(&f);
    assert_null(f.chain.batch);
    assert_true(chain_is_sure(&f.chain));
    send_hits(&f, 5);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    assert_chain_books(&f, 5, 5, 0);
    chain_fixture_fini(&f);
}

static void test_a_batch_in_doubt_keeps_its_bytes(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 5);
    char *bytes = strndup(f.chain.batch->bytes.data, f.chain.batch->bytes.bytes);
    world_hit(&f.world, 0, "n/a", 100);
    keys_collect(f.keys);
    assert_int_equal(reconcile(&f, NULL), CHAIN_UNCHANGED);
    assert_memory_equal(f.chain.batch->bytes.data, bytes, f.chain.batch->bytes.bytes);
    free(bytes);
    chain_fixture_fini(&f);
}

/* The ledger says that a batch was applied, and its keys look well. */
static enum chain_news resolve(struct fixture *f, const struct ledger *server)
{
    enum chain_news news = reconcile(f, server);

    if (news != CHAIN_PROVED)
        return news;
    f->chain.proved->examined = true;
    return reconcile(f, server);
}

static void test_our_nonce_in_the_ledger_is_proof(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 5);
    struct ledger server = f.chain.batch->ledger;
    assert_int_equal(resolve(&f, &server), CHAIN_RESOLVED);
    assert_chain_books(&f, 5, 0, 0);
    assert_int_equal(reconcile(&f, &server), CHAIN_UNCHANGED);
    chain_fixture_fini(&f);
}

static void test_a_key_that_was_found_refused_is_kept_aside(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init_with(&f, 60000, LEDGER_LOSS_REPLAY);
    world_hit(&f.world, 0, "n/b", 7);
    send_hits(&f, 5);
    struct ledger server = f.chain.batch->ledger;
    uint32_t first = keys_find(f.keys, SLICE("n/b")) == f.chain.batch->items[0].key;
    assert_int_equal(reconcile(&f, &server), CHAIN_PROVED);
    batch_refuse(f.chain.proved, first, REDIS_ERROR_WRONGTYPE); /* of n/a */
    f.chain.proved->examined = true;
    assert_int_equal(reconcile(&f, &server), CHAIN_RESOLVED);
    assert_chain_books(&f, 7, 0, 0);
    assert_int_equal(world_books(&f.world).poisoned, 5);
    assert_int_equal(keys_held(f.keys), 1);
    assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
    assert_int_equal(f.world.stats.replayed_hits, 7); /* what was never stored is not stored again */
    chain_fixture_fini(&f);
}

static void test_a_look_proves_nothing_once_the_server_has_forgotten_the_batch(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 5);
    answer(&f);
    send_hits(&f, 6);
    struct ledger server = f.chain.batch->ledger;
    assert_int_equal(reconcile(&f, &server), CHAIN_PROVED);
    assert_int_equal(reconcile(&f, &f.chain.history.acked), CHAIN_UNCHANGED);
    assert_null(f.chain.proved);
    assert_non_null(f.chain.batch); /* to be sent again */
    assert_int_equal(reconcile(&f, &server), CHAIN_PROVED);
    assert_int_equal(chain_reconcile_nonsense(&f.chain), CHAIN_ASKS);
    assert_null(f.chain.proved);
    assert_non_null(chain_probe(&f.chain));
    chain_probed(&f.chain);
    assert_int_equal(chain_reconcile_nonsense(&f.chain), CHAIN_RENAMED);
    chain_fixture_fini(&f);
}

static void test_of_a_batch_and_its_replacement_one_counts(void **state)
{
    (void)state;

    for (int replaced = 0; replaced < 2; replaced++) {
        struct fixture f;
        chain_fixture_init(&f);
        send_hits(&f, 5);
        assert_int_equal(chain_replace(&f.chain), 0);
        assert_int_equal(f.chain.batch->items_count, 0);
        assert_int_equal(f.chain.batch->ledger.seq, f.chain.replaced->ledger.seq);
        assert_int_not_equal(f.chain.batch->ledger.nonce, f.chain.replaced->ledger.nonce);
        struct ledger server = replaced ? f.chain.replaced->ledger : f.chain.batch->ledger;
        assert_int_equal(resolve(&f, &server), CHAIN_RESOLVED);
        assert_null(f.chain.batch);
        assert_null(f.chain.replaced);
        assert_chain_books(&f, replaced ? 5 : 0, 0, 0);
        assert_int_equal(keys_dirty(f.keys), replaced ? 0 : 1);
        chain_fixture_fini(&f);
    }
}

static void hit_many(struct fixture *f, int first, int end)
{
    for (int i = first; i < end; i++) {
        char name[8];
        snprintf(name, sizeof(name), "n/%d", i);
        world_hit(&f->world, 0, name, 1);
    }
    keys_collect(f->keys);
}

static void test_the_next_batch_is_made_ready_while_one_is_under_way(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    hit_many(&f, 0, 15); /* a batch takes ten */
    send_hits(&f, 1);
    chain_prepare(&f.chain);
    assert_int_equal(f.chain.next->items_count, 6);
    assert_false(chain_is_sure(&f.chain));
    assert_chain_books(&f, 0, 16, 0);
    hit_many(&f, 0, 12); /* of both: for a third one */
    struct ledger first = f.chain.batch->ledger;
    assert_int_equal(resolve(&f, &first), CHAIN_RESOLVED);
    assert_int_equal(chain_make_batch(&f.chain, f.world.now_us / 1000), 0);
    assert_null(f.chain.next);
    assert_int_equal(f.chain.batch->ledger.seq, 2);
    assert_int_equal(f.chain.batch->hits, 6);
    assert_memory_equal(f.chain.batch->bytes.data + f.chain.batch->bytes.bytes - 14, "*1\r\n$4\r\nEXEC\r\n", 14);
    chain_prepare(&f.chain); /* some of its keys are dirty again */
    assert_null(f.chain.next);
    struct ledger second = f.chain.batch->ledger;
    f.chain.batch->copies++;
    assert_int_equal(resolve(&f, &second), CHAIN_RESOLVED);
    assert_chain_books(&f, 16, 0, 0);
    send_hits(&f, 1);
    assert_int_equal(f.chain.batch->hits, 10);
    chain_fixture_fini(&f);
}

static void test_what_was_made_ready_goes_back_when_the_batch_before_it_fails(void **state)
{
    (void)state;

    for (int refused = 0; refused < 2; refused++) {
        struct fixture f;
        chain_fixture_init(&f);
        send_hits(&f, 1);
        answer(&f);
        hit_many(&f, 0, 15);
        send_hits(&f, 1);
        chain_prepare(&f.chain);
        assert_non_null(f.chain.next);
        if (refused)
            assert_int_equal(chain_replace(&f.chain), 0);
        else
            assert_int_equal(reconcile(&f, NULL), CHAIN_GIVEN_UP);
        assert_null(f.chain.next);
        assert_int_equal(keys_dirty(f.keys), refused ? 6 : 16);
        chain_fixture_fini(&f);
    }
}

static void test_a_refused_set_leaves_the_ledger_where_it_was(void **state)
{
    struct fixture f;
    (void)state;

    chain_fixture_init(&f);
    send_hits(&f, 5);
    assert_false(chain_answered(&f.chain, false));
    assert_chain_books(&f, 5, 0, 0);
    assert_int_equal(reconcile(&f, NULL), CHAIN_UNCHANGED);
    chain_fixture_fini(&f);
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
        cmocka_unit_test(test_the_next_batch_is_made_ready_while_one_is_under_way),
        cmocka_unit_test(test_what_was_made_ready_goes_back_when_the_batch_before_it_fails),
        cmocka_unit_test(test_a_refused_set_leaves_the_ledger_where_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
