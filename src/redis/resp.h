#pragma once
/* The Redis protocol (RESP2): commands out, replies in through hiredis, of which no type leaves resp.c.
 *
 * Thread: none of its own; whoever owns the reader or the buffer.
 * Happy path: resp_command() appends a command to a buffer; resp_feed() takes what came from the
 * network and resp_next() hands out one reply after the other, each valid until the next call.
 * Failure modes: bytes that are no RESP2, nesting deeper than hiredis 0.14 allows (7), more elements
 * (each level of nesting is one) or longer strings than the limits: -EPROTO, for ever, until resp_reset(). The caller
 * closes the link. A reply costs no allocation: its tree lives in the reader's arena, which is sized once. */

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

/* Append one command of `count` arguments; a failed allocation leaves `out->failed` set. */
void resp_command(struct buf *out, size_t count, const struct slice args[]);

int resp_create(struct resp_reader **out, const struct resp_limits *limits); /* 0 or -ENOMEM */
void resp_destroy(struct resp_reader *r);
void resp_reset(struct resp_reader *r);                               /* forget everything: a new connection */
int resp_feed(struct resp_reader *r, const void *data, size_t bytes); /* 0, -EPROTO, -ENOMEM */
int resp_next(struct resp_reader *r, const struct reply **reply);     /* 1: one, 0: more bytes wanted, -EPROTO */

static inline bool reply_is_status(const struct reply *r, struct slice text)
{
    return r->type == REPLY_STATUS && slice_equals(r->text, text);
}
