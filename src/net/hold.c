#include "net/hold.h"

#include <errno.h>
#include <stdlib.h>

#include "sync/atomic.h"

/* A buffer of a block grows by doubling, and so does a small one: the size tells which it was. */
#define OUT_SMALL_BYTES 1000
#define OUT_SMALL_FREE 2000 /* what every connection costs anyway */
_Static_assert(OUT_BLOCK_BYTES % OUT_SMALL_BYTES != 0, "no small block grows into the size of another one");

#define OUT_HIGH_SHORT 500 /* of answers, while blocks are small */

/* ---- the pool of blocks ---- */

static bool is_block(const struct buf *b) { return b->capacity % OUT_BLOCK_BYTES == 0; }

static void used_publish(struct conns *cs)
{
    store_relaxed_u64(&cs->stats.buffer_bytes, cs->purse.used); /* partner: the reader of metrics */
}

static void block_free(struct conns *cs, char *data)
{
    free(data);
    purse_give(&cs->purse, OUT_BLOCK_BYTES);
    used_publish(cs);
}

void block_make(struct conns *cs, struct buf *b)
{
    bool whole = purse_take(&cs->purse, OUT_BLOCK_BYTES);

    b->data = malloc(whole ? OUT_BLOCK_BYTES : OUT_SMALL_BYTES);
    b->capacity = !b->data ? 0 : whole ? OUT_BLOCK_BYTES : OUT_SMALL_BYTES;
    if (whole && !b->data)
        purse_give(&cs->purse, OUT_BLOCK_BYTES);
    if (!whole)
        cs->out_high = OUT_HIGH_SHORT;
    used_publish(cs);
}

void block_drop(struct conns *cs, struct buf *b)
{
    if (b->data && is_block(b))
        block_free(cs, b->data);
    else
        free(b->data);
}

/* ---- who holds something, the longest idle first ---- */

static struct hold_link *link_of(struct conns *cs, uint32_t slot) { return &cs->holders[slot]; }

static void list_remove(struct conns *cs, uint32_t slot)
{
    struct hold_link *l = link_of(cs, slot);

    link_of(cs, l->previous)->next = l->next;
    link_of(cs, l->next)->previous = l->previous;
    *l = (struct hold_link){slot, slot};
}

static void list_append(struct conns *cs, uint32_t slot)
{
    struct hold_link *l = link_of(cs, slot), *end = link_of(cs, cs->max);

    *l = (struct hold_link){.next = cs->max, .previous = end->previous};
    link_of(cs, end->previous)->next = slot;
    end->previous = slot;
}

static void holder_note(struct conns *cs, const struct conn *c)
{
    list_remove(cs, conn_slot(cs, c));
    if (c->held > 0 && !conn_waits(c) && c->state != CONN_CLOSING)
        list_append(cs, conn_slot(cs, c));
}

/* ---- weighing ---- */

static uint64_t out_weight(const struct buf *b)
{
    uint64_t paid = is_block(b) ? OUT_BLOCK_BYTES : OUT_SMALL_FREE;

    return b->capacity > paid ? b->capacity - paid : 0;
}

static uint64_t conn_weight(const struct conn *c)
{
    const struct partial *p = c->partial;
    uint64_t parts = p ? sizeof(*p) + p->head.capacity + p->data.capacity : 0;

    return parts + c->carry.capacity + out_weight(&c->out) + out_weight(&c->sending);
}

/* Books what it holds now. false: it holds more than before, and the budget has not that much. */
static bool hold_book(struct conns *cs, struct conn *c)
{
    uint64_t weight = conn_weight(c);
    bool good = weight <= c->held || purse_take(&cs->purse, weight - c->held);

    if (!good)
        return false;
    if (weight < c->held)
        purse_give(&cs->purse, c->held - weight);
    c->held = (uint32_t)weight;
    holder_note(cs, c);
    used_publish(cs);
    return true;
}

/* With an answer where it can have one: not in the middle of others, and not while it waits for one. */
static void conn_end_for_memory(struct conns *cs, struct conn *c)
{
    if (conn_reads(c) && !c->sending.data && c->out.bytes == 0)
        conn_refuse(cs, c, 503, "memory", NULL);
    else
        conn_close(cs, c);
    buf_fini(&c->carry);
    hold_book(cs, c); /* less than before */
}

static bool evict_one(struct conns *cs, const struct conn *but)
{
    uint32_t slot = link_of(cs, cs->max)->next;
    struct conn *c = slot == cs->max ? NULL : &cs->conns[slot];

    if (!c || c == but || engine_now_ms(cs->engine) - c->active_ms < HOLD_IDLE_MS)
        return false;
    stat_add(&cs->stats.buffer_evicted, 1);
    conn_end_for_memory(cs, c);
    conn_settle(cs, c);
    return true;
}

static bool room_make(struct conns *cs, struct conn *c)
{
    while (cs->blocks_count > 0) {
        block_free(cs, cs->blocks[--cs->blocks_count]);
        if (hold_book(cs, c))
            return true;
    }
    while (evict_one(cs, c)) {
        if (hold_book(cs, c))
            return true;
    }
    return false;
}

bool hold_weigh(struct conns *cs, struct conn *c)
{
    if (hold_book(cs, c) || room_make(cs, c))
        return true;
    stat_add(&cs->stats.buffer_refused, 1);
    conn_end_for_memory(cs, c);
    return false;
}

void hold_release(struct conns *cs, struct conn *c)
{
    purse_give(&cs->purse, c->held);
    c->held = 0;
    list_remove(cs, conn_slot(cs, c));
    used_publish(cs);
}

void hold_tick(struct conns *cs)
{
    if (cs->out_high != OUT_HIGH && budget_fill(cs->purse.budget) < 900)
        cs->out_high = OUT_HIGH;
}

/* ---- life ---- */

int hold_init(struct conns *cs)
{
    cs->out_high = OUT_HIGH;
    cs->holders = calloc((size_t)cs->max + 1, sizeof(*cs->holders));
    if (!cs->holders)
        return -ENOMEM;
    for (uint32_t i = 0; i <= cs->max; i++)
        cs->holders[i] = (struct hold_link){i, i};
    return 0;
}

void hold_fini(struct conns *cs)
{
    while (cs->blocks_count > 0)
        free(cs->blocks[--cs->blocks_count]);
    free(cs->holders);
    purse_fini(&cs->purse);
}
