#pragma once
/* The request reader: bytes in, events out, no sockets, no allocation. Strict RFC 9112, one forward pass.
 *
 * Happy path: a whole head in one buffer is parsed in place in one call.
 * Cut anywhere: http_parser_head() says HTTP_MORE; the caller keeps the bytes of this head together
 * (a carry buffer), appends what comes and calls again with the same start; no byte is looked at twice.
 * Failure: HTTP_BAD with the status to answer (400, 413, 414, 431, 501, 505) and a reason; the connection
 * must be closed after it.
 *
 * Refused with 400: bare CR or LF, obs-fold, space before colon or in a name, Content-Length together
 * with Transfer-Encoding, several differing or non-digit Content-Length, duplicate or missing (1.1) or
 * invalid Host, control bytes in the target or in values, HTTP/0.9. A final Transfer-Encoding other than chunked: 501
 * for unknown codings, 400 when chunked is not last; Transfer-Encoding in HTTP/1.0: 400. HTTP/2+ major: 505. */

#include <stddef.h>
#include <stdint.h>

#include "http/request.h"

struct http_limits {
    uint32_t line_bytes_max;   /* request line: over it 414 (default 8192) */
    uint32_t head_bytes_max;   /* whole head: over it 431 (default 16384) */
    uint32_t fields_max;       /* header fields: over it 431 (default 100) */
    uint32_t body_bytes_max;   /* decoded: over it 413 (default 65536) */
    uint32_t chunk_ext_bytes_max; /* all chunk extensions and trailers of a body: over it 400 (default 4096) */
};

extern const struct http_limits http_limits_default;

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

struct http_parser {
    const struct http_limits *limits;
    int status;          /* after HTTP_BAD */
    const char *reason;  /* after HTTP_BAD: a short token for metrics, static ("bare_lf", …) */
    size_t head_bytes;   /* after HTTP_DONE: where the body starts */
    /* where the pass stands; private to parser.c (define as needed) */
    size_t scanned;
    uint32_t state, fields, seen;
    size_t mark;
};

void http_parser_init(struct http_parser *p, const struct http_limits *limits);
/* `data` starts with the first byte of the head, `bytes` are there so far. Empty lines (CRLF) before a
 * request line are skipped (RFC 9112 section 2.2), a bounded number of them. */
enum http_result http_parser_head(struct http_parser *p, const char *data, size_t bytes, struct http_request *r);

/* The body behind a head: Content-Length or chunked (RFC 9112 sections 6 and 7), streaming. */
struct http_body {
    const struct http_limits *limits;
    int status;
    const char *reason;
    uint64_t left;       /* of the length or the chunk */
    uint64_t decoded;    /* so far, in bytes */
    uint32_t state, overhead;
};

void http_body_init(struct http_body *b, const struct http_limits *limits, const struct http_request *r);
/* Takes bytes from `in` (advancing it) and gives at most one run of decoded bytes in `*out` (may be empty).
 * HTTP_DONE: the body is complete, what is left of `in` belongs to the next request.
 * HTTP_MORE: call again (at once while `in` is not empty). */
enum http_result http_body_feed(struct http_body *b, struct slice *in, struct slice *out);
