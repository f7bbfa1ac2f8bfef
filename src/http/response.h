#pragma once
/* Composing answers. Two ways: a template for the hot ones, http_response_write() for all others.
 *
 * Every answer carries Date (RFC 9110 section 6.6.1), and Connection: close where it ends the connection
 * (keep-alive for HTTP/1.0 clients that asked). HEAD and 204/304 have no body bytes. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "http/request.h"

#define HTTP_DATE_BYTES 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

void http_date_format(int64_t wall_ms, char out[HTTP_DATE_BYTES + 1]);

struct http_response {
    int status;
    const char *content_type;  /* NULL: none */
    struct slice body;
    struct slice extra;        /* further header lines, each ending in CRLF */
    bool close;                /* the connection ends after this answer */
};

/* `date`: HTTP_DATE_BYTES, kept current by the worker. `r` may be NULL (nothing could be parsed). */
void http_response_write(struct buf *out, const struct http_request *r, const struct http_response *response,
                         const char *date);
/* "204 No Content" etc.; a generic phrase for codes we do not send. */
const char *http_status_phrase(int status);

/* A whole answer rendered beforehand, in four forms: plain, Connection: close, keep-alive (1.0), and the
 * same without body bytes for HEAD; only the date is put in when it changes. */
struct http_template;
int http_template_create(struct http_template **out, const struct http_response *response);
void http_template_destroy(struct http_template *t);
void http_template_date(struct http_template *t, const char *date);
struct slice http_template_get(const struct http_template *t, const struct http_request *r, bool close);
