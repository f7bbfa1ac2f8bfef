#pragma once
/* Origins as browsers send them (RFC 6454 section 6.2): "https://blog.example", "http://[::1]:8080", or "null".
 *
 * Thread: pure functions. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Writes what a browser sends for what somebody wrote: lower case, no path, no default port, https where no scheme is
 * said. false: no browser sends anything like it. `out` is empty before. */
bool origin_write(struct slice text, struct buf *out);
/* The origin of an address, as it stands there: "https://a.example/b?c" has "https://a.example"; else at == NULL. */
struct slice origin_of(struct slice address);
