#pragma once
/* The header of the PROXY protocol, version 2. A proxy sends it in front of a connection's first byte, so that the
 * server learns whose connection it is.
 *
 * Thread: pure functions.
 * Source: haproxy.org/download/2.8/doc/proxy-protocol.txt, section 2.2. */

#include <stddef.h>

#include "base/ip.h"

#define PROXY_HEADER_BYTES_MAX 4096 /* with all its extensions, which are skipped */

enum proxy_result { PROXY_MORE, PROXY_DONE, PROXY_BAD };

/* Returns PROXY_DONE when the header is whole and has `*bytes` bytes. `*client` is set then, unless the header names
 * none, as in a health check of the proxy's own, or with a family other than TCP over IPv4 and IPv6. */
enum proxy_result proxy_header_read(struct slice in, size_t *bytes, struct ip *client);
