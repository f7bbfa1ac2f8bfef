#pragma once
/* Whose request it is. That is the other end of the connection or, when a proxy of ours is there, who the proxy says.
 *
 * X-Forwarded-For is read from its end. As long as an address is a trusted proxy's, the one before it is believed, as
 * that proxy wrote it. So a client can put nothing into the field that is taken for its address. Forwarded (RFC 7239)
 * is read likewise when there is no X-Forwarded-For. Nearly every proxy writes the latter, and passes on a Forwarded
 * that the client made up.
 *
 * Thread: pure functions. */

#include "base/ip.h"
#include "http/request.h"

#define PROXIES_MAX 64

struct proxies {
    uint32_t count;
    struct ip_block blocks[PROXIES_MAX];
};

/* "10.0.0.0/8,2001:db8::/32". 0, or -EINVAL. */
int proxies_parse(struct proxies *p, const char *list);
bool proxies_have(const struct proxies *p, const struct ip *ip);
struct ip client_find(const struct proxies *p, const struct ip *peer, const struct http_request *r);
