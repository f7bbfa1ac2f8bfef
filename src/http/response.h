#pragma once
/* Composes answers, by a template for the hot ones and by http_response_write() for all others.
 *
 * Thread: none of its own. A template belongs to the worker that sets its date.
 * Every answer carries Date (RFC 9110 section 6.6.1), and Connection: close where it ends the connection, or keep-alive
 * for HTTP/1.0 clients that asked. 204 and 304 have neither body nor Content-Length (section 8.6). HEAD gets the
 * Content-Length that GET would, without the body.
 *
 * Failure modes: without memory `out->failed` is set (base/buf.h). */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "http/request.h"

#define HTTP_DATE_BYTES 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* IMF-fixdate of a wall time in the years 0 to 9999 (RFC 9110 section 5.6.7), with a NUL. */
void http_date_format(int64_t wall_ms, char out[HTTP_DATE_BYTES + 1]);

/* These go with each answer that has a type. So nobody guesses another type, frames the answer, or runs what stands in
 * it. A badge or an error may be opened as a page, too (Fetch standard, Content Security Policy level 3). */
#define HTTP_SAFE_HEADERS "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
#define HTTP_POLICY_NONE "default-src 'none'; frame-ancestors 'none'"

struct http_response {
    int status;
    const char *content_type; /* may be NULL */
    struct slice body;
    struct slice extra; /* further header lines, each ending in CRLF, which nobody checks */
    const char *policy; /* of a page that needs more than HTTP_POLICY_NONE, else NULL */
    bool close;         /* the connection ends after this answer */
    bool streams; /* `body` is only its beginning. It ends with the connection (RFC 9112 section 6.3), with `close` */
    bool chunked; /* whoever asked for it appends the body, in chunks (RFC 9112 section 7.1) */
};

/* `date` has HTTP_DATE_BYTES and is kept current by the worker. `r` is NULL when nothing could be parsed. The answer
 * says Connection: close then, as it does when the request did not ask to keep alive. */
void http_response_write(struct buf *out, const struct http_request *r, const struct http_response *response,
                         const char *date);
/* Returns "204 No Content" etc., and a generic phrase for codes that are never sent. */
const char *http_status_phrase(int status);

/* A whole answer that is rendered beforehand, in three forms. One is plain, one says Connection: close, and one
 * keep-alive (1.0). Each is there without the body, too, for HEAD. Only the date is put in, when it changes. */
struct http_template;
/* Copies what it needs of `response`. Returns 0 or -ENOMEM. */
int http_template_create(struct http_template **out, const struct http_response *response);
void http_template_destroy(struct http_template *t);
/* `date` has HTTP_DATE_BYTES. */
void http_template_date(struct http_template *t, const char *date);
/* Appends the answer to `out`. `r` may be NULL as above. */
void http_template_append(const struct http_template *t, const struct http_request *r, bool close, struct buf *out);
