#pragma once
/* Composes commands of the Redis protocol (RESP2).
 *
 * Thread: that of whoever owns the buffer.
 * The ledger uses it as well, because it keeps the exact bytes of its batches. */

#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* Appends one command of `count` arguments. A failed allocation leaves `out->failed` set. */
void command_append(struct buf *out, size_t count, const struct slice args[]);
