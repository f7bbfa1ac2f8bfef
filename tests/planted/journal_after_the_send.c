/* Planted: a batch is sent first and noted in the journal only when it is sent again. */
#include "ledger/history.h"

int __real_history_intend(struct history *c, const struct batch *b, bool replaces);
int __wrap_history_intend(struct history *c, const struct batch *b, bool replaces);

int __wrap_history_intend(struct history *c, const struct batch *b, bool replaces)
{
    return b->sends > 1 ? __real_history_intend(c, b, replaces) : 0;
}
