#pragma once
/* A chain without any connection: batches are sent and answered by calls. Includes cmocka's assertions, so <cmocka.h>
 * comes first. */

#include "ledger/chain.h"
#include "support/world.h"

struct fixture {
    struct world world; /* for its env and tally */
    struct keyspace space;
    struct keys *keys;
    struct accounts accounts;
    struct flush_options options;
    struct chain chain;
};

void chain_fixture_init_with(struct fixture *f, uint64_t replay_window_ms, enum ledger_loss on_ledger_loss);
void chain_fixture_init(struct fixture *f);
void chain_fixture_fini(struct fixture *f);
/* A batch of `n` hits, sent once. */
void send_hits(struct fixture *f, uint64_t n);
/* What the ledger says, by a server that takes writes. */
enum chain_news reconcile(struct fixture *f, const struct ledger *server);
void answer(struct fixture *f);
void assert_chain_books(struct fixture *f, uint64_t stored, uint64_t in_flight, uint64_t lost);
