#pragma once
/* Reads requests by RFC 9112, strictly and in one forward pass. Bytes go in and events come out. There are no sockets
 * and no allocation here.
 *
 * Thread: that of whoever owns the struct.
 * Happy path: a whole head in one buffer is parsed in place in one call.
 *
 * When the head is cut anywhere, http_parser_head() says HTTP_MORE. The caller keeps the bytes of this head together
 * (in a carry buffer), appends what comes and calls again. The bytes may have moved in between, and the parser rebases
 * the request by itself. What it says depends on the bytes only, never on where they were cut. No scan starts over. A
 * byte is classified once, but for an unfinished "HTTP/1.1" and a CR without its LF.
 *
 * Failure modes: HTTP_BAD, with the status to answer and a reason. The connection must be closed after it. The request
 * is incomplete then, so only use what the status needs.
 *
 *   400, by RFC 9112 unless said:
 *        - a bare CR or LF, or a byte that may not be there in method, target, field name or value
 *        - obs-fold, a space before the colon, more than four empty lines in front, HTTP/0.9
 *        - a Content-Length that is not digits, or is there twice (also with one value), or with Transfer-Encoding
 *        - Transfer-Encoding in HTTP/1.0, with a last coding other than chunked (section 6.3), or with chunked twice
 *        - a Host that is missing in HTTP/1.1, is there twice, or is not uri-host [":" port]
 *        - a form of target that does not go with the method (http/target.h)
 *   413  a Content-Length over the body limit
 *   414  a request line over its limit
 *   417  an expectation other than 100-continue
 *   431  a head over its limits
 *   501  codings before a final chunked
 *   505  HTTP/2.0 and above
 * An unknown method is no failure of the reader's. */

#include <stddef.h>
#include <stdint.h>

#include "http/request.h"

struct http_limits {
    uint32_t line_bytes_max;      /* of the request line with its CRLF, else 414 (default 8192) */
    uint32_t head_bytes_max;      /* of the whole head and empty lines in front, else 431 (default 16384) */
    uint32_t fields_max;          /* how many header fields, else 431 (default 100) */
    uint32_t body_bytes_max;      /* decoded, else 413 (default 65536) */
    uint32_t chunk_ext_bytes_max; /* of all chunk extensions and trailers of a body, else 400 (default 4096) */
};

extern const struct http_limits http_limits_default;

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

struct http_parser {
    const struct http_limits *limits;
    int status;         /* after HTTP_BAD */
    const char *reason; /* after HTTP_BAD, a short static token for metrics ("bare_lf", …) */
    size_t head_bytes;  /* after HTTP_DONE, where the body starts */

    /* Where the pass stands. Private to parser.c. Positions are offsets, so that the bytes may move. */
    const char *data; /* where they lay at the last call */
    size_t scanned;   /* dealt with, but for the token that starts at `mark` */
    size_t mark;
    size_t line; /* start of the request line */
    uint32_t state;
    uint32_t fields; /* so far */
    int field;       /* which one the value being read belongs to (enum field_id) */
    uint32_t seen;   /* bits of enum field_seen */
};

/* `limits` is borrowed for the parser's life. Called once per request. */
void http_parser_init(struct http_parser *p, const struct http_limits *limits);
/* `data` starts with the first byte of the head. `bytes` are there so far, never fewer than before. The first call
 * clears *r, and the same r must come with every call. Empty lines (CRLF) before a request line are skipped (RFC 9112
 * section 2.2) and counted in head_bytes. HTTP_BAD is final, and later calls repeat it. */
enum http_result http_parser_head(struct http_parser *p, const char *data, size_t bytes, struct http_request *r);

/* The body behind a head, by Content-Length or chunked (RFC 9112 sections 6 and 7), streaming. With neither it is done
 * at once. */
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
/* Takes bytes from `in`, advancing it, and gives at most one run of decoded bytes in `*out`, which points into `in` and
 * may be empty. Trailers are checked like fields and dropped. It returns
 *   - HTTP_DONE when the body is complete. `*out` may hold its last run, and what is left of `in` belongs to the next
 *     request.
 *   - HTTP_MORE when it is to be called again, at once while `in` is not empty.
 *   - HTTP_BAD with 400, or 413 when a chunked body grows over the limit. */
enum http_result http_body_feed(struct http_body *b, struct slice *in, struct slice *out);
