#pragma once
/* Asks what the key of a name holds, and tells what the reply means.
 *
 * Thread: pure functions. */

#include <stdint.h>

#include "base/buf.h"
#include "redis/resp.h"

enum key_value {
    KEY_VALUE_INTEGER,
    KEY_VALUE_NONE,       /* no such key, or an empty string, since GETRANGE answers both alike */
    KEY_VALUE_WRONG_TYPE, /* INCRBY refuses it as this one is, … */
    KEY_VALUE_NO_INTEGER, /* … and this one */
    KEY_VALUE_UNTOLD,     /* the server does not say */
};

/* Appends one command. `scratch` is the caller's, for any number of calls. A failed allocation leaves `out->failed`
 * set. */
void key_value_append(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name);
/* `*value` is 0 unless it returns KEY_VALUE_INTEGER. */
enum key_value key_value_read(const struct reply *reply, int64_t *value);
