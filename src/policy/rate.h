#pragma once
/* How many hits a client may still make. Each client has a token bucket in a table of fixed size.
 *
 * Thread: the worker's. Each worker has a table of its own, so that a hit needs no shared word. A client whose
 * connections are spread over the workers may make as many hits at each.
 * A client is an IPv4 address, or the first 64 bits of an IPv6 one (what one customer has). 64 Ki clients are
 * remembered. Of four that share a place the fullest bucket is forgotten first, and a forgotten one is full again. */

#include <stdint.h>

#include "base/ip.h"

struct rate;

int rate_create(struct rate **out); /* 0, -ENOMEM, or what the kernel says when it has no randomness */
void rate_destroy(struct rate *r);  /* NULL is allowed */
/* Takes one token of the client's bucket, which holds `burst` and gets `per_second` (both at
 * least 1). Returns 0, or in how many whole seconds there will be one. */
uint32_t rate_take(struct rate *r, const struct ip *client, uint32_t per_second, uint32_t burst, uint64_t now_ms);
