#pragma once
/* Workers that wait until what they counted of a name is stored (ack=stored).
 *
 * Thread: the flusher's.
 * A wait ends when the baseline of the worker's cell has reached its mark, because the store has acknowledged the batch
 * with it. At its deadline it ends as not done. It asks nothing of the store, as the flush comes when it comes. */

#include <stdint.h>

#include "owed/keys.h"
#include "owed/question.h"

struct stored_waits {
    struct question *first;
    struct keys *keys;
    struct asker asker;
};

void stored_waits_push(struct stored_waits *w, struct question *question);
/* Answers those that are at their end. */
void stored_waits_settle(struct stored_waits *w, uint64_t now_ms);
/* What they wait for is not to rest. */
void stored_waits_hasten(const struct stored_waits *w);
uint64_t stored_waits_wake_ms(const struct stored_waits *w); /* the first deadline, or UINT64_MAX */
