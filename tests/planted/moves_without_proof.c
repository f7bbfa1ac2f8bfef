/* Planted: what a ledger says is believed of a server that has not shown that it takes writes. */
#include "ledger/chain.h"

enum chain_news __real_chain_reconcile(struct chain *c, const struct ledger *server);
enum chain_news __wrap_chain_reconcile(struct chain *c, const struct ledger *server);

enum chain_news __wrap_chain_reconcile(struct chain *c, const struct ledger *server)
{
    c->takes_writes = true;
    batch_begin(&c->probe, server ? server : &(struct ledger){0});
    return __real_chain_reconcile(c, server);
}
