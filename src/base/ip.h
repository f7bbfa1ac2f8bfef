#pragma once
/* Addresses of the Internet Protocol, and blocks of them. IPv4 is kept as IPv6, in the form ::ffff:a.b.c.d.
 *
 * Thread: pure functions.
 * Errors: a parser that returns false leaves `out` as it was.
 * Source: RFC 4291 section 2.5.5.2. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

struct ip {
    uint8_t bytes[16];
};

struct ip_block {
    struct ip ip;
    uint8_t bits; /* the first so many count, 0…128 */
};

/* Returns false when the address is neither IPv4 nor IPv6. */
bool ip_from_socket(const struct sockaddr_storage *address, struct ip *out);
/* Reads "192.0.2.1" or "2001:db8::1", and the forms of X-Forwarded-For, "192.0.2.1:4711" and "[2001:db8::1]:4711". */
bool ip_parse(struct slice text, struct ip *out);
/* Reads "192.0.2.0/24", or an address alone. */
bool ip_block_parse(struct slice text, struct ip_block *out);
bool ip_block_has(const struct ip_block *b, const struct ip *ip);
bool ip_is_v4(const struct ip *ip);
bool ip_equals(const struct ip *a, const struct ip *b);
