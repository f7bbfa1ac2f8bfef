/* Planted: a batch is sent first and noted in the journal only when it is sent again. */
#include "ledger/chronicle.h"

int __real_chronicle_intend(struct chronicle *c, const struct batch *b, bool replaces);
int __wrap_chronicle_intend(struct chronicle *c, const struct batch *b, bool replaces);

int __wrap_chronicle_intend(struct chronicle *c, const struct batch *b, bool replaces)
{
    return b->sends > 1 ? __real_chronicle_intend(c, b, replaces) : 0;
}
