#include "net/wheel.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t bucket_head(const struct wheel *w, uint64_t tick)
{
    return w->slots + (uint32_t)(tick % WHEEL_BUCKETS);
}

static void list_insert(struct wheel *w, uint32_t head, uint32_t entry)
{
    struct wheel_link *l = w->links;
    l[entry].next = l[head].next;
    l[entry].previous = head;
    l[l[head].next].previous = entry;
    l[head].next = entry;
}

static void list_remove(struct wheel *w, uint32_t entry)
{
    struct wheel_link *l = w->links;
    l[l[entry].previous].next = l[entry].next;
    l[l[entry].next].previous = l[entry].previous;
    l[entry].next = l[entry].previous = entry;
}

int wheel_init(struct wheel *w, uint32_t slots, uint64_t now_ms)
{
    w->links = calloc((size_t)slots + WHEEL_BUCKETS, sizeof(*w->links));
    if (!w->links)
        return -ENOMEM;
    w->slots = slots;
    w->now_tick = now_ms / WHEEL_TICK_MS;
    for (uint32_t i = slots; i < slots + WHEEL_BUCKETS; i++)
        w->links[i].next = w->links[i].previous = i;
    return 0;
}

void wheel_fini(struct wheel *w) { free(w->links); }

void wheel_clear(struct wheel *w, uint32_t slot)
{
    if (w->links[slot].at_ms == 0)
        return;
    list_remove(w, slot);
    w->links[slot].at_ms = 0;
}

void wheel_set(struct wheel *w, uint32_t slot, uint64_t at_ms)
{
    wheel_clear(w, slot);
    uint64_t tick = (at_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS; /* never early */
    if (tick <= w->now_tick)
        tick = w->now_tick + 1;
    if (tick > w->now_tick + WHEEL_BUCKETS - 2)
        tick = w->now_tick + WHEEL_BUCKETS - 2;
    w->links[slot].at_ms = tick * WHEEL_TICK_MS;
    list_insert(w, bucket_head(w, tick), slot);
}

uint64_t wheel_at(const struct wheel *w, uint32_t slot)
{
    return w->links[slot].at_ms ? w->links[slot].at_ms : UINT64_MAX;
}

static void bucket_run(struct wheel *w, uint32_t head, void (*due)(void *, uint32_t), void *ctx)
{
    uint32_t slot;
    while ((slot = w->links[head].next) != head) {
        wheel_clear(w, slot);
        due(ctx, slot); /* may set it again: never into the bucket of now */
    }
}

void wheel_advance(struct wheel *w, uint64_t now_ms, void (*due)(void *, uint32_t), void *ctx)
{
    uint64_t tick = now_ms / WHEEL_TICK_MS;
    /* After a long sleep every bucket is due once, not once a missed tick. */
    if (tick > w->now_tick + WHEEL_BUCKETS)
        w->now_tick = tick - WHEEL_BUCKETS;
    while (w->now_tick < tick) {
        w->now_tick++;
        bucket_run(w, bucket_head(w, w->now_tick), due, ctx);
    }
}
