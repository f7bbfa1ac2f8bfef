/* Planted: the journal says "acknowledged" before the baselines have moved, not after. */
#include "ledger/chain.h"

bool __real_chain_answered(struct chain *c, bool ledger_set);
bool __wrap_chain_answered(struct chain *c, bool ledger_set);

bool __wrap_chain_answered(struct chain *c, bool ledger_set)
{
    journal_acknowledge(&c->history.journal, c->history.instance, &c->batch->ledger, &(struct journal_stored){0});
    return __real_chain_answered(c, ledger_set);
}
