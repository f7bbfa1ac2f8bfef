/* Planted: a nonce is made of what the process remembers, so that its clone makes the same. */
#include "ledger/chronicle.h"

struct ledger __wrap_chronicle_next(struct chronicle *c);

struct ledger __wrap_chronicle_next(struct chronicle *c)
{
    const uint64_t seq = c->acked.seq + 1;

    return (struct ledger){seq, siphash13(&c->nonce_key, &seq, sizeof(seq))};
}
