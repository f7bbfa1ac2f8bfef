#include "sync/spsc_u32.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/region.h"
#include "sync/atomic.h"

#define CAPACITY_MIN 1024 /* 4 KiB, so that every table is made of whole pages */
#define TABLES 32

struct spsc_u32 {
    /* constant after creation */
    uint32_t *slots; /* owned */
    uint32_t capacity_max;

    /* producer writes */
    uint64_t tail __attribute__((aligned(64))); /* how many were ever pushed; the consumer reads it */
    uint32_t capacity;                          /* of the table that is pushed to */

    /* consumer writes */
    uint64_t head __attribute__((aligned(64))); /* how many were ever popped; the producer reads it */
    uint32_t emptied;                           /* capacity of the table that is popped from */

    /* producer writes when it grows, consumer reads: by the logarithm of its capacity, from which item on a table is
     * used; UINT64_MAX: from none so far */
    uint64_t since[TABLES] __attribute__((aligned(64)));
};

static size_t region_bytes(const struct spsc_u32 *q) { return 2 * (size_t)q->capacity_max * sizeof(q->slots[0]); }

int spsc_u32_create(struct spsc_u32 **out, uint32_t items_max)
{
    if (items_max == 0 || items_max > SPSC_U32_ITEMS_MAX)
        return -EINVAL;
    struct spsc_u32 *q = aligned_alloc(_Alignof(struct spsc_u32), sizeof(*q));
    if (!q)
        return -ENOMEM;
    *q = (struct spsc_u32){.capacity_max = CAPACITY_MIN, .capacity = CAPACITY_MIN, .emptied = CAPACITY_MIN};
    while (q->capacity_max < items_max)
        q->capacity_max *= 2;
    for (int i = 0; i < TABLES; i++)
        q->since[i] = UINT64_MAX;
    q->slots = region_reserve(region_bytes(q));
    if (!q->slots) {
        free(q);
        return -ENOMEM;
    }
    *out = q;
    return 0;
}

void spsc_u32_destroy(struct spsc_u32 *q)
{
    if (!q)
        return;
    region_release(q->slots, region_bytes(q));
    free(q);
}

static uint64_t *since(struct spsc_u32 *q, uint32_t capacity) { return &q->since[__builtin_ctz(capacity)]; }

static uint32_t *slot(struct spsc_u32 *q, uint32_t capacity, uint64_t item)
{
    return &q->slots[capacity + (item & (capacity - 1))];
}

void spsc_u32_reserve(struct spsc_u32 *q, uint32_t items)
{
    assert(items <= q->capacity_max);
    while (q->capacity < items) {
        q->capacity *= 2;
        /* Relaxed because the next push releases it; partner: spsc_u32_pop(). */
        store_relaxed_u64(since(q, q->capacity), q->tail);
    }
}

bool spsc_u32_push(struct spsc_u32 *q, uint32_t item)
{
    uint64_t tail = q->tail;

    /* What waits in smaller tables counts, too; that errs on the safe side. Partner: the release in spsc_u32_pop(). */
    if (tail - load_acquire_u64(&q->head) == q->capacity)
        return false;
    *slot(q, q->capacity, tail) = item;
    store_release_u64(&q->tail, tail + 1); /* partner: spsc_u32_pop() */
    return true;
}

bool spsc_u32_pop(struct spsc_u32 *q, uint32_t *item)
{
    uint64_t head = q->head;

    if (head == load_acquire_u64(&q->tail)) /* partner: spsc_u32_push() */
        return false;
    /* Relaxed because the acquire above came after the push that came after it; partner: spsc_u32_reserve(). */
    while (q->emptied < q->capacity_max && head >= load_relaxed_u64(since(q, 2 * q->emptied))) {
        region_discard(q->slots + q->emptied, q->emptied * sizeof(q->slots[0]));
        q->emptied *= 2;
    }
    *item = *slot(q, q->emptied, head);
    store_release_u64(&q->head, head + 1); /* partner: spsc_u32_push() */
    return true;
}
