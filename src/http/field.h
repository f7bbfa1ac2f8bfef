#pragma once
/* Which header fields the protocol reads, and what they do to a request. Internal to http/.
 *
 * Thread: pure functions.
 * Happy path: field_find() once per name, field_apply() once per complete line of a known field, field_finish() once
 * per head. A failure is a struct refusal with the status to answer. */

#include "http/parser.h"
#include "http/request.h"

/* Continues enum http_field. Those below HTTP_FIELDS are only kept for handlers. */
enum field_id {
    FIELD_HOST = HTTP_FIELDS,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_CONNECTION,
    FIELD_EXPECT,
    FIELD_OTHER,
};

enum field_seen {
    SEEN_HOST = 1,
    SEEN_TARGET_HOST = 2, /* absolute-form or authority-form, where the target's host goes before the field's */
    SEEN_TRANSFER_ENCODING = 4,
    SEEN_CHUNKED = 8,
    SEEN_OTHER_CODING = 16,
    SEEN_CLOSE = 32,
    SEEN_KEEP_ALIVE = 64,
};

struct refusal {
    int status; /* 0 when nothing is refused */
    const char *reason;
};

/* Returns an enum http_field or enum field_id. */
int field_find(struct slice name);
/* `value` is trimmed. `id` is not FIELD_OTHER. */
struct refusal field_apply(struct http_request *r, uint32_t *seen, int id, struct slice value);
/* Judges what the fields say together about framing (RFC 9112 section 6.3), Host and persistence (section 9.3). */
struct refusal field_finish(struct http_request *r, uint32_t seen, const struct http_limits *limits);
