#pragma once
/* The request reader: bytes in, events out, no sockets, no allocation. Strict RFC 9112, one forward pass.
 *
 * Thread: none of its own; whoever owns the struct.
 * Happy path: a whole head in one buffer is parsed in place in one call.
 * Cut anywhere: http_parser_head() says HTTP_MORE; the caller keeps the bytes of this head together
 * (a carry buffer), appends what comes and calls again. The bytes may have moved in between: the parser
 * rebases the request by itself. What it says depends on the bytes only, never on where they were cut, and
 * no scan starts over: a byte is classified once, but for an unfinished "HTTP/1.1" and a CR without its LF.
 * Failure: HTTP_BAD with the status to answer (400, 413, 414, 417, 431, 501, 505) and a reason; the connection
 * must be closed after it. The request is then incomplete: only use what the status needs.
 *
 * Refused with 400 (RFC 9112 unless said): bare CR or LF; a byte that may not be there in method, target, field name
 * or value; obs-fold; space before the colon; more than four empty lines in front; HTTP/0.9; Content-Length that is not
 * digits or is there twice, even when both are the same; Content-Length with Transfer-Encoding; Transfer-Encoding in
 * HTTP/1.0, or with a last coding other than chunked (section 6.3), or with chunked twice; Host missing in HTTP/1.1,
 * there twice, or not uri-host [":" port]; a target form that does not go with the method (target.h).
 * 413: Content-Length over the body limit. 417: an expectation other than 100-continue. 501: codings before a final
 * chunked. 505: HTTP/2.0 and above. An unknown method is no failure of the reader's. */

#include <stddef.h>
#include <stdint.h>

#include "http/request.h"

struct http_limits {
    uint32_t line_bytes_max;      /* request line with its CRLF: over it 414 (default 8192) */
    uint32_t head_bytes_max;      /* whole head, also empty lines in front: over it 431 (default 16384) */
    uint32_t fields_max;          /* header fields: over it 431 (default 100) */
    uint32_t body_bytes_max;      /* decoded: over it 413 (default 65536) */
    uint32_t chunk_ext_bytes_max; /* all chunk extensions and trailers of a body: over it 400 (default 4096) */
};

extern const struct http_limits http_limits_default;

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

struct http_parser {
    const struct http_limits *limits;
    int status;         /* after HTTP_BAD */
    const char *reason; /* after HTTP_BAD: a short token for metrics, static ("bare_lf", …) */
    size_t head_bytes;  /* after HTTP_DONE: where the body starts */

    /* Where the pass stands; private to parser.c. Positions are offsets, so that the bytes may move. */
    const char *data; /* where they lay at the last call */
    size_t scanned;   /* dealt with, but for the token that starts at `mark` */
    size_t mark;
    size_t line; /* start of the request line */
    uint32_t state;
    uint32_t fields; /* so far */
    int field;       /* which one the value being read belongs to (enum field_id) */
    uint32_t seen;   /* bits of enum field_seen */
};

/* `limits` is borrowed for the parser's life. One init per request. */
void http_parser_init(struct http_parser *p, const struct http_limits *limits);
/* `data` starts with the first byte of the head, `bytes` are there so far (never fewer than before). The first call
 * clears *r; the same r must come with every call. Empty lines (CRLF) before a request line are skipped (RFC 9112
 * section 2.2) and counted in head_bytes. HTTP_BAD is final: later calls repeat it. */
enum http_result http_parser_head(struct http_parser *p, const char *data, size_t bytes, struct http_request *r);

/* The body behind a head: Content-Length or chunked (RFC 9112 sections 6 and 7), streaming. Neither: done at once. */
struct http_body {
    const struct http_limits *limits;
    int status;
    const char *reason;
    uint64_t left;     /* of the length or the chunk */
    uint64_t decoded;  /* so far, in bytes */
    uint32_t state;    /* private to body.c */
    uint32_t overhead; /* bytes of chunk extensions and trailers so far */
    uint32_t digits;   /* of the chunk size so far */
};

void http_body_init(struct http_body *b, const struct http_limits *limits, const struct http_request *r);
/* Takes bytes from `in` (advancing it) and gives at most one run of decoded bytes in `*out` (may be empty; it points
 * into `in`).
 * HTTP_DONE: the body is complete (`*out` may hold its last run), what is left of `in` belongs to the next request.
 * HTTP_MORE: call again (at once while `in` is not empty).
 * HTTP_BAD: 400, or 413 when a chunked body grows over the limit; trailers are checked like fields and dropped. */
enum http_result http_body_feed(struct http_body *b, struct slice *in, struct slice *out);
