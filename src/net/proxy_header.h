#pragma once
/* The PROXY protocol, version 2 (haproxy.org/download/2.8/doc/proxy-protocol.txt, section 2.2): what a proxy sends in
 * front of a connection's first byte, so that the server learns whose connection it is.
 *
 * Thread: pure functions. */

#include <stddef.h>

#include "base/ip.h"

#define PROXY_HEADER_BYTES_MAX 4096 /* with all its extensions, which are skipped */

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_BAD };

/* PROXY_DONE: it has `*bytes` bytes, and *client is set unless it says nothing of one (a health check of the proxy's
 * own, or a family other than TCP over IPv4 and IPv6). */
enum proxy_result proxy_header_read(struct slice in, size_t *bytes, struct ip *client);
