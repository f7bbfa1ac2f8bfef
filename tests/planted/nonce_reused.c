/* Planted: the nonce follows from the seq, so a batch that is made anew for the same seq has the old one's. */
#include "owed/batch.h"

void __real_batch_begin(struct batch *b, const struct ledger *ledger);
void __wrap_batch_begin(struct batch *b, const struct ledger *ledger);

void __wrap_batch_begin(struct batch *b, const struct ledger *ledger)
{
    __real_batch_begin(b, &(struct ledger){ledger->seq, ledger->seq * 0x9e3779b97f4a7c15});
}
