#pragma once
/* Asks for the highest keys that the set of a namespace in a partition has (tally/tops.h), and tells what the reply
 * says.
 *
 * Thread: pure functions. */

#include <stdbool.h>

#include "base/buf.h"
#include "owed/scan.h"
#include "redis/resp.h"

/* Appends one command about a name of name_of_top(). `scratch` is the caller's, for any number of calls. */
void top_set_append(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name);
/* Adds the keys to `out`, whose `begins` is "ns/". Returns false when the reply is none. `out->state` is SCAN_REFUSED
 * when the server does not say, and SCAN_BUSY without memory. */
bool top_set_read(const struct reply *reply, struct scan *out);
