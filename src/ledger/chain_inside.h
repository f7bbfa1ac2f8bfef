#pragma once
/* What chain.c and chain_reconcile.c share.
 *
 * Thread: the flusher's. */

#include "ledger/chain.h"

static inline struct accounts *chain_accounts(const struct chain *c) { return c->config.past.accounts; }

/* One that no pointer of the chain points to. */
struct batch *chain_free_batch(struct chain *c);
/* It was not applied by the server that is asked, and never will be. NULL in `batch`: no-op. */
void chain_give_back(struct chain *c, struct batch **batch);
void chain_give_back_all(struct chain *c);
/* The ledger says that it was applied. */
enum chain_news chain_applied_unseen(struct chain *c, struct batch **applied);
