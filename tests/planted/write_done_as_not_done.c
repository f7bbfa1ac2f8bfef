/* Planted: a write whose batch was given up after it was sent is said not to be done. */
#include "owed/writes.h"

void __real_writes_ended(struct writes *w, const struct batch *b, enum answer_state state);
void __wrap_writes_ended(struct writes *w, const struct batch *b, enum answer_state state);

void __wrap_writes_ended(struct writes *w, const struct batch *b, enum answer_state state)
{
    __real_writes_ended(w, b, state == ANSWER_IN_DOUBT ? ANSWER_FAILED : state);
}
