#pragma once
/* Addresses of the Internet Protocol: IPv6, and IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), and blocks of them.
 *
 * Thread: pure functions. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

struct ip {
    uint8_t bytes[16];
};

struct ip_block {
    struct ip ip;
    uint8_t bits; /* that count, of the 128 */
};

bool ip_from_socket(const struct sockaddr_storage *address, struct ip *out); /* false: neither of the two */
/* "192.0.2.1", "2001:db8::1"; also as X-Forwarded-For has them: "192.0.2.1:4711", "[2001:db8::1]:4711". */
bool ip_parse(struct slice text, struct ip *out);
/* "192.0.2.0/24", or an address alone. */
bool ip_block_parse(struct slice text, struct ip_block *out);
bool ip_block_has(const struct ip_block *b, const struct ip *ip);
bool ip_is_v4(const struct ip *ip);
