#pragma once
/* What chain.c and chain_reconcile.c share.
 *
 * Thread: the flusher's. */

#include "ledger/chain.h"

static inline const struct flush_options *chain_options(const struct chain *c) { return c->config.history.options; }
static inline struct accounts *chain_accounts(const struct chain *c) { return c->config.history.accounts; }

/* Returns a batch that no pointer of the chain points to. */
struct batch *chain_free_batch(struct chain *c);
/* `*batch`, unless it is NULL, was not applied by the server that is asked, and never will be. */
void chain_give_back(struct chain *c, struct batch **batch);
void chain_give_back_all(struct chain *c);
/* The ledger says that `*applied` was applied. */
enum chain_news chain_applied_unseen(struct chain *c, struct batch **applied);
