/* Planted: a step between two copies of the store is made without a word in the journal. */
#include "ledger/history.h"

int __wrap_history_intend_step(struct history *c, const struct ledger *to, const struct ledger *goal, uint64_t hits,
                               const struct buf *parts);

int __wrap_history_intend_step(struct history *c, const struct ledger *to, const struct ledger *goal, uint64_t hits,
                               const struct buf *parts)
{
    (void)c, (void)to, (void)goal, (void)hits, (void)parts;
    return 0;
}
