#pragma once
/* Origins as browsers send them (RFC 6454 section 6.2), such as "https://blog.example", "http://[::1]:8080", or "null".
 *
 * Thread: pure functions. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Writes what a browser sends for what somebody wrote: lower case, no path, no default port, addresses in their one
 * form, https where no scheme is said. Returns false when no browser sends anything like it. `out` is empty before.
 * Source: URL Standard, "host serializing" and "ends in a number". */
bool origin_write(struct slice text, struct buf *out);
/* Returns the origin of an address, as it stands there: "https://a.example" of "https://a.example/b?c". at == NULL when
 * there is none. */
struct slice origin_of(struct slice address);
