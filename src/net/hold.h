#pragma once
/* What a connection makes the worker keep, and who gives way when the budget for it is at its end.
 *
 * Thread: the worker's.
 * Happy path: a request that lies whole in one receive buffer, and whose answer is taken at once, costs nothing here.
 * Its output block comes from the pool and goes back to it.
 * Whatever else outlives an event is weighed when the event ends. So one event may go over the budget by what it
 * brought, and by no more. At the end of the budget, free blocks of the pool go first. Then connections that hold
 * something and have not moved for HOLD_IDLE_MS are refused with 503, the longest idle first. At last the one that
 * wants more is refused with 503, or closed when it cannot be told. Requests that need nothing kept go on, with output
 * blocks of OUT_SMALL_BYTES, which belong to what every connection costs anyway. */

#include "net/conns.h"

#define HOLD_IDLE_MS 500

int hold_init(struct conns *cs); /* 0 or -ENOMEM */
void hold_fini(struct conns *cs);

/* Make what the pool has not, and free what it does not take back. */
void block_make(struct conns *cs, struct buf *b);
void block_drop(struct conns *cs, struct buf *b);

/* Gives an output block, a small one at the end of the budget. b->data is NULL when there is no memory at all. */
static inline void block_borrow(struct conns *cs, struct buf *b)
{
    if (cs->blocks_count == 0) {
        block_make(cs, b);
        return;
    }
    b->data = cs->blocks[--cs->blocks_count];
    b->capacity = OUT_BLOCK_BYTES;
}

static inline void block_return(struct conns *cs, struct buf *b)
{
    if (b->data && b->capacity == OUT_BLOCK_BYTES && cs->blocks_count < OUT_BLOCKS_KEPT)
        cs->blocks[cs->blocks_count++] = b->data;
    else
        block_drop(cs, b);
    *b = (struct buf){0};
}

/* Weighs the connection. Returns false when it was over the budget, and has been refused or closed. */
bool hold_weigh(struct conns *cs, struct conn *c);
/* Called when it has been closed and its memory is freed. */
void hold_release(struct conns *cs, struct conn *c);
/* Called once a tick. Answers are gathered in full again when there is room. */
void hold_tick(struct conns *cs);

/* Tells whether it holds anything, or did. Most requests come whole, and are not weighed at all. */
static inline bool hold_is_due(const struct conn *c)
{
    uintptr_t any =
        (uintptr_t)c->partial | (uintptr_t)c->carry.data | c->held | (c->out.capacity & ~(size_t)OUT_BLOCK_BYTES);

    return any != 0; /* one branch, at each event of a connection */
}
