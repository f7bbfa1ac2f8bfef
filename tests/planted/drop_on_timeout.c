/* Planted: a batch whose answer did not come is taken as lost on the way, and forgotten. */
#include "ledger/chain.h"

enum chain_news __real_chain_reconcile(struct chain *c, const struct ledger *server);
enum chain_news __wrap_chain_reconcile(struct chain *c, const struct ledger *server);

enum chain_news __wrap_chain_reconcile(struct chain *c, const struct ledger *server)
{
    enum chain_news news = __real_chain_reconcile(c, server);

    if (news != CHAIN_UNCHANGED || !c->batch || c->batch->copies == 0)
        return news;
    accounts_applied_unseen(c->config.history.accounts, c->batch);
    c->batch = NULL;
    return CHAIN_RESOLVED;
}
