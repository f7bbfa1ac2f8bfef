#pragma once
/* A look at what the key of a name holds: the command, and what its answer means.
 *
 * Thread: pure functions. */

#include <stdint.h>

#include "base/buf.h"
#include "redis/resp.h"

enum look {
    LOOK_INTEGER,
    LOOK_NOTHING,    /* no such key, or an empty string: GETRANGE answers both alike */
    LOOK_WRONG_TYPE, /* INCRBY refuses it as this one is, … */
    LOOK_NO_INTEGER, /* … and this one */
    LOOK_REFUSED,    /* the server does not say */
};

/* One command; `scratch` is the caller's, for any number of calls. A failed allocation leaves `out->failed` set. */
void look_append(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name);
/* `value`: 0 but for LOOK_INTEGER. */
enum look look_read(const struct reply *reply, int64_t *value);
