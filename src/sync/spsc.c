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

struct slot_u32 {
    uint32_t value;
};

struct spsc_u32 {
    struct ck_ring ring;
    struct slot_u32 slots[];
};

CK_RING_PROTOTYPE(u32, slot_u32)

static size_t queue_bytes(uint32_t capacity, size_t slot_bytes)
{
    return sizeof(struct ck_ring) + (size_t)capacity * slot_bytes;
}

static int queue_create(void **out, uint32_t capacity, size_t slot_bytes)
{
    if (capacity < 2 || capacity > SPSC_CAPACITY_MAX || (capacity & (capacity - 1)) != 0)
        return -EINVAL;
    struct ck_ring *ring = region_reserve(queue_bytes(capacity, slot_bytes));
    if (!ring)
        return -ENOMEM;
    ck_ring_init(ring, capacity);
    *out = ring;
    return 0;
}

static void queue_destroy(void *q, size_t slot_bytes)
{
    struct ck_ring *ring = q; /* the first member of both */

    if (ring)
        region_release(ring, queue_bytes(ck_ring_capacity(ring), slot_bytes));
}

int spsc_create(struct spsc **out, uint32_t capacity)
{
    return queue_create((void **)out, capacity, sizeof(struct ck_ring_buffer));
}

void spsc_destroy(struct spsc *q) { queue_destroy(q, sizeof(struct ck_ring_buffer)); }

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

int spsc_u32_create(struct spsc_u32 **out, uint32_t capacity)
{
    return queue_create((void **)out, capacity, sizeof(struct slot_u32));
}

void spsc_u32_destroy(struct spsc_u32 *q) { queue_destroy(q, sizeof(struct slot_u32)); }

bool spsc_u32_push(struct spsc_u32 *q, uint32_t item)
{
    struct slot_u32 slot = {item};

    SYNC_RELEASING(q); /* partner: spsc_u32_pop() */
    SYNC_CK_BEGIN();
    bool pushed = ck_ring_enqueue_spsc_u32(&q->ring, q->slots, &slot);
    SYNC_CK_END();
    return pushed;
}

bool spsc_u32_pop(struct spsc_u32 *q, uint32_t *item)
{
    struct slot_u32 slot;

    SYNC_CK_BEGIN();
    bool popped = ck_ring_dequeue_spsc_u32(&q->ring, q->slots, &slot);
    SYNC_CK_END();
    if (!popped)
        return false;
    SYNC_ACQUIRED(q); /* partner: spsc_u32_push() */
    *item = slot.value;
    return true;
}
