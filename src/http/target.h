#pragma once
/* The four forms of a request target (RFC 9112 section 3.2), and hosts. Internal to http/.
 *
 * Thread: pure functions.
 * The bytes are those of RFC 3986, and those that browsers leave as they are although RFC 3986 has no place for them
 * (URL Standard, "path percent-encode set" and "query percent-encode set"), which are ^ ` { | } anywhere and \ in the
 * query. A control, a space, DEL, a byte above 0x7e and " # < > are never among them. No browser sends these, so '#'
 * and what follows cannot be taken for a part of the target. A broken percent-escape is only a '%' here, and is refused
 * by the handler (http_percent_decode()). */

#include <stdbool.h>

#include "http/request.h"

/* Is it uri-host [ ":" port ], RFC 9110 section 7.2, without user info? A host must be there. The port may be empty, or
 * is at most 65535. In brackets there is only an IPv6 address, because no address of a future version exists and zones
 * are not for the wire. */
bool target_host_valid(struct slice host);

/* r->path holds the target up to '?', and r->query what follows. It splits absolute-form ("http://host/path") into host
 * and path, where an empty path becomes "/", and authority-form (CONNECT) into a host and an empty path. Returns false
 * when the form does not go with the method, the scheme is neither http nor https, or the host is bad. */
bool target_split(struct http_request *r);

/* Is there nothing to split, as in nearly every target? */
static inline bool target_is_path(const struct http_request *r)
{
    return r->method != HTTP_CONNECT && r->path.bytes > 0 && r->path.at[0] == '/';
}
