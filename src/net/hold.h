#pragma once
/* What a connection makes the worker keep, and who gives way when the budget for it is at its end.
 *
 * Thread: the worker's.
 * Happy path: a request that lies whole in one receive buffer and whose answer is taken at once costs nothing here: its
 * output block comes from the pool and goes back to it. Whatever else outlives an event is weighed when the event ends:
 * so one event may go over the budget by what it brought, and by no more.
 * At the end of the budget, in this order: free blocks of the pool go; connections that hold something and have not
 * moved for HOLD_IDLE_MS are refused (503), the longest idle first; the one that wants more is refused itself (503), or
 * closed when it cannot be told. Requests that need nothing kept go on, with output blocks of OUT_SMALL_BYTES, which
 * belong to what every connection costs anyway. */

#include "net/conns.h"

#define HOLD_IDLE_MS 500

int hold_init(struct conns *cs); /* 0 or -ENOMEM */
void hold_fini(struct conns *cs);

/* What the pool has not, and what it does not take back. */
void block_make(struct conns *cs, struct buf *b);
void block_drop(struct conns *cs, struct buf *b);

/* An output block, a small one at the end of the budget. b->data == NULL: no memory at all. */
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

/* Weighs the connection. false: it was over the budget, and has been refused or closed. */
bool hold_weigh(struct conns *cs, struct conn *c);
/* It has been closed, and its memory freed. */
void hold_release(struct conns *cs, struct conn *c);
/* Once a tick: answers are gathered in full again when there is room. */
void hold_tick(struct conns *cs);

/* Does it hold anything, or did it? Most requests come whole, and are not weighed at all. */
static inline bool hold_is_due(const struct conn *c)
{
    uintptr_t any =
        (uintptr_t)c->partial | (uintptr_t)c->carry.data | c->held | (c->out.capacity & ~(size_t)OUT_BLOCK_BYTES);

    return any != 0; /* one branch, at each event of a connection */
}
