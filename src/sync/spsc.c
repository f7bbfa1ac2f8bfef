#include "sync/spsc.h"

#include <ck_ring.h>
#include <errno.h>

#include "base/region.h"
#include "sync/atomic.h"

/* ck keeps the producer's and the consumer's position on a cache line each. */
struct spsc {
    struct ck_ring ring;
    struct ck_ring_buffer slots[];
};

static size_t spsc_bytes(uint32_t capacity)
{
    return sizeof(struct spsc) + (size_t)capacity * sizeof(struct ck_ring_buffer);
}

int spsc_create(struct spsc **out, uint32_t capacity)
{
    if (capacity < 2 || capacity > SPSC_CAPACITY_MAX || (capacity & (capacity - 1)) != 0)
        return -EINVAL;
    struct spsc *q = region_reserve(spsc_bytes(capacity));
    if (!q)
        return -ENOMEM;
    ck_ring_init(&q->ring, capacity);
    *out = q;
    return 0;
}

void spsc_destroy(struct spsc *q)
{
    if (q)
        region_release(q, spsc_bytes(ck_ring_capacity(&q->ring)));
}

bool spsc_push(struct spsc *q, void *item)
{
    SYNC_RELEASING(q); /* partner: spsc_pop() */
    SYNC_CK_BEGIN();
    bool pushed = ck_ring_enqueue_spsc(&q->ring, q->slots, item);
    SYNC_CK_END();
    return pushed;
}

bool spsc_pop(struct spsc *q, void **item)
{
    SYNC_CK_BEGIN();
    bool popped = ck_ring_dequeue_spsc(&q->ring, q->slots, item);
    SYNC_CK_END();
    if (popped)
        SYNC_ACQUIRED(q); /* partner: spsc_push() */
    return popped;
}
