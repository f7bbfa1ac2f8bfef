/* Planted: a write whose batch was given up after it was sent is said not to be done. */
#include "ledger/writes.h"

void __real_writes_ended(struct writes *w, const struct batch *b, enum read_state state);
void __wrap_writes_ended(struct writes *w, const struct batch *b, enum read_state state);

void __wrap_writes_ended(struct writes *w, const struct batch *b, enum read_state state)
{
    __real_writes_ended(w, b, state == READ_UNKNOWN ? READ_FAILED : state);
}
