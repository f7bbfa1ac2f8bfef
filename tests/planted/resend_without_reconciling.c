/* Planted: after a lost connection the batch is sent again without a look at the ledger. */
#include "ledger/chain.h"

enum chain_news __wrap_chain_reconcile(struct chain *c, const struct ledger *server);

enum chain_news __wrap_chain_reconcile(struct chain *c, const struct ledger *server)
{
    if (server)
        c->history.acked = *server;
    return CHAIN_UNCHANGED;
}
