#pragma once
/* Replies of the Redis protocol (RESP2), read by hiredis, of which no type leaves resp.c. protocol/command.h has the
 * other direction.
 *
 * Thread: that of whoever owns the reader.
 * Happy path: resp_feed() takes what came from the network. resp_next() hands out one reply after the other, each valid
 * until the next call. A reply costs no allocation, because its tree lies in the reader's arena, which is sized once.
 *
 * Failure modes: resp_next() returns -EPROTO, and does so until resp_reset(), when the bytes are no RESP2, when arrays
 * are nested more than 7 deep (hiredis 0.14), or when a reply is larger than the limits. The caller closes the link. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum reply_type { REPLY_STATUS, REPLY_ERROR, REPLY_INTEGER, REPLY_STRING, REPLY_NIL, REPLY_ARRAY };

struct reply {
    enum reply_type type;
    uint32_t items_count;      /* REPLY_ARRAY */
    int64_t integer;           /* REPLY_INTEGER */
    struct slice text;         /* REPLY_STATUS, REPLY_ERROR, REPLY_STRING */
    const struct reply *items; /* REPLY_ARRAY */
};

struct resp_limits {
    uint32_t nodes_max;      /* replies in one tree, itself included */
    uint32_t text_bytes_max; /* of all strings in one tree */
};

struct resp_reader;

int resp_create(struct resp_reader **out, const struct resp_limits *limits); /* 0 or -ENOMEM */
void resp_destroy(struct resp_reader *r);
void resp_reset(struct resp_reader *r);                               /* forgets everything, for a new connection */
int resp_feed(struct resp_reader *r, const void *data, size_t bytes); /* 0, -EPROTO, -ENOMEM */
int resp_next(struct resp_reader *r,
              const struct reply **reply); /* 1 with a reply, 0 when it wants more bytes, -EPROTO */

static inline bool reply_is_status(const struct reply *r, struct slice text)
{
    return r->type == REPLY_STATUS && slice_equals(r->text, text);
}
