#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/chain_fixture.h"

void chain_fixture_init_with(struct fixture *f, uint64_t replay_window_ms, enum ledger_loss on_ledger_loss)
{
    world_init(&f->world);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->world.tally, &f->space), 0);
    f->accounts =
        (struct accounts){.env = &f->world.env, .keys = f->keys, .books = &f->world.books, .stats = &f->world.stats};
    f->options = (struct flush_options){
        .prefix = "t:",
        .instance = "one",
        .batch_keys_max = 10,
        .on_ledger_loss = on_ledger_loss,
        .replay_window_ms = replay_window_ms,
    };
    const struct chain_config config = {
        .history = {.options = &f->options, .accounts = &f->accounts, .prefix = SLICE("t:"), .replay_parts_max = 1000},
    };
    assert_int_equal(chain_init(&f->chain, &config), 0);
}

void chain_fixture_init(struct fixture *f) { chain_fixture_init_with(f, 0, LEDGER_LOSS_RESUME); }

void chain_fixture_fini(struct fixture *f)
{
    chain_fini(&f->chain);
    keys_destroy(f->keys);
    world_fini(&f->world);
}

void send_hits(struct fixture *f, uint64_t n)
{
    world_hit(&f->world, 0, "n/a", n);
    keys_collect(f->keys);
    assert_int_equal(chain_make_batch(&f->chain, f->world.now_us / 1000), 0);
    assert_non_null(f->chain.batch);
    f->chain.batch->copies++;
}

enum chain_news reconcile(struct fixture *f, const struct ledger *server)
{
    enum chain_news news = chain_reconcile(&f->chain, server);

    if (news != CHAIN_ASKS)
        return news;
    assert_non_null(chain_probe(&f->chain));
    chain_probed(&f->chain);
    return chain_reconcile(&f->chain, server);
}

void answer(struct fixture *f)
{
    f->chain.batch->items[0].total = 1;
    assert_true(chain_answered(&f->chain, true));
}

void assert_chain_books(struct fixture *f, uint64_t stored, uint64_t in_flight, uint64_t lost)
{
    struct flusher_books b = world_books(&f->world);

    assert_int_equal(b.stored, stored);
    assert_int_equal(b.in_flight, in_flight);
    assert_int_equal(b.lost, lost);
}
