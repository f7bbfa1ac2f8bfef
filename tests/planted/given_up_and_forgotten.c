/* Planted: a batch that was sent and is given up is forgotten, though a copy of the store may have executed it. */
#include "ledger/history.h"

void __wrap_history_shelve(struct history *c, const struct batch *b);

void __wrap_history_shelve(struct history *c, const struct batch *b) { (void)c, (void)b; }
