#pragma once
/* The four forms of a request target (RFC 9112 section 3.2), and hosts. Internal to http/.
 *
 * Bytes: those of RFC 3986, and those that browsers leave as they are although RFC 3986 has no place for them
 * (URL Standard, "path percent-encode set" and "query percent-encode set"): ^ ` { | } anywhere, \ in the query.
 * Never a control, space, DEL, byte above 0x7e, nor " # < >: no browser sends these, so '#' and what follows
 * cannot be taken for a part of the target. A broken percent-escape is the handler's to refuse
 * (http_percent_decode): here it is only a '%'. */

#include <stdbool.h>

#include "http/request.h"

/* uri-host [ ":" port ], RFC 9110 section 7.2; no user info. A host must be there; the port may be empty, or is at
 * most 65535. In brackets only an IPv6 address: no address of a future version exists, zones are not for the wire. */
bool target_host_valid(struct slice host);

/* r->path holds the target up to '?', r->query what follows. Splits absolute-form ("http://host/path": host, path;
 * an empty path becomes "/") and authority-form (CONNECT: host, path is empty). False: the form does not go with the
 * method, a scheme other than http and https, or a bad host. */
bool target_split(struct http_request *r);

/* Nothing to split: nearly every target. */
static inline bool target_is_path(const struct http_request *r)
{
    return r->method != HTTP_CONNECT && r->path.bytes > 0 && r->path.at[0] == '/';
}
