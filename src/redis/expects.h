#pragma once
/* Who gets the replies that are due on a connection, in order, and until when they must come.
 *
 * Thread: the link's.
 * A reply is late when nothing moved on the connection, in or out, for `pause_ms`. That is measured from the last byte,
 * not from the question, as a thin link may take long over a large answer. `ceiling_ms` after the question it is late
 * whatever moves, so a server that trickles holds nobody up for ever. */

#include <stdbool.h>
#include <stdint.h>

#include "redis/resp.h"

#define EXPECTS_MAX 64 /* groups, not replies. A partition has a handful under way at most */

/* `index` counts the replies of one group, from 0. */
typedef void (*link_reply_fn)(void *ctx, const struct reply *reply, uint32_t index);

struct expect {
    link_reply_fn fn;
    void *ctx;
    uint32_t count, seen;
    uint64_t asked_ms;
};

struct expects {
    uint32_t pause_ms, ceiling_ms;
    uint64_t moved_ms;                 /* when a byte moved last. The link sets it */
    struct expect groups[EXPECTS_MAX]; /* a ring */
    uint32_t first, count;
};

static inline void expects_clear(struct expects *e) { e->first = e->count = 0; }
void expects_push(struct expects *e, uint32_t count, link_reply_fn fn, void *ctx, uint64_t now_ms);
/* Returns false when nothing was asked for. */
bool expects_deliver(struct expects *e, const struct reply *reply);
uint64_t expects_deadline_ms(const struct expects *e); /* UINT64_MAX when nothing is due */
