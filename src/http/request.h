#pragma once
/* What a request says, as slices of the bytes it came in (RFC 9110, RFC 9112).
 *
 * Thread: that of whoever owns the struct.
 * The slices are valid while those bytes stay where they are. After moving them call http_request_rebase(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum http_method {
    HTTP_GET, /* the first three are those that a hit may come with */
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_CONNECT,
    HTTP_TRACE,
    HTTP_UNKNOWN, /* a valid token that is no method we know, for a 501 */
};

/* Header fields that some handler or the protocol itself looks at. Others are checked and skipped. */
enum http_field {
    HTTP_FIELD_AUTHORIZATION,
    HTTP_FIELD_CONTENT_TYPE,
    HTTP_FIELD_ORIGIN,
    HTTP_FIELD_REFERER,
    HTTP_FIELD_USER_AGENT,
    HTTP_FIELD_DNT,
    HTTP_FIELD_SEC_GPC,
    HTTP_FIELD_PURPOSE,
    HTTP_FIELD_SEC_PURPOSE,
    HTTP_FIELD_X_PURPOSE,
    HTTP_FIELD_X_MOZ,
    HTTP_FIELD_X_FORWARDED_FOR,
    HTTP_FIELD_FORWARDED,
    HTTP_FIELD_ACCEPT,
    HTTP_FIELD_LAST_EVENT_ID,
    HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD,
    HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS,
    HTTP_FIELDS,
};

struct http_request {
    enum http_method method;
    struct slice method_text;
    uint8_t minor_version; /* of HTTP/1.<minor>, 0 or 1 (a higher one is read as 1) */
    bool keep_alive;       /* what version and Connection fields ask for */
    bool expect_continue;  /* Expect: 100-continue in HTTP/1.1, and a body is announced (RFC 9110 section 10.1.1) */
    bool chunked;          /* Transfer-Encoding: chunked, the only coding we take */
    bool has_length;       /* Content-Length was given */
    uint64_t content_length;
    struct slice path;  /* of the target, raw, without query. "*" for asterisk-form. Absolute-form is reduced to its
                         * path, "/" when that is empty. Empty for authority-form (CONNECT) */
    struct slice query; /* raw, without '?'. Its `at` is NULL when there is none */
    struct slice host; /* with its port, raw, from Host, or from the target in absolute- and authority-form. Its `at` is
                        * NULL when there is none */
    struct slice field[HTTP_FIELDS]; /* the first value, trimmed. `at` is NULL when absent. http/list.h reads all lines
                                        of a list */
    struct slice body;               /* decoded, set by whoever gathered it */
};

/* Moves every slice but the body along, when the head was moved from `from` to `to`, into a carry buffer say. */
void http_request_rebase(struct http_request *r, const char *from, const char *to);

/* Takes the next "name=value" of a query, raw. Returns false at the end. `rest` starts as request.query. Empty pieces
 * ("a&&b") are skipped. The value ends at '&', and is empty when there is no '='. */
bool http_query_next(struct slice *rest, struct slice *name, struct slice *value);
/* Whether a raw name or value of a query is `word` (32 bytes at most), however its bytes are written. "%6e" is "n". */
bool http_query_is(struct slice raw, struct slice word);
/* Percent-decodes once. With `plus` a '+' is a space. Returns the number of bytes, or -1 on a broken escape or when
 * there are more than `out_max` bytes. */
int http_percent_decode(struct slice in, bool plus, char *out, size_t out_max);
