#include "tally/index.h"

#include <assert.h>
#include <errno.h>

#include "base/region.h"

#define CAPACITY_MIN 512 /* a page of 4 KiB, so that every table starts and ends with a page */

static bool has_room(uint32_t capacity, uint32_t items) { return items <= capacity / 4 * 3; }

static size_t region_bytes(const struct index *ix) { return (size_t)ix->capacity_max * 2 * sizeof(ix->slots[0]); }

int index_init(struct index *ix, uint32_t items_max)
{
    struct index made = {.capacity = CAPACITY_MIN, .capacity_max = CAPACITY_MIN};

    if (items_max == 0 || items_max > INDEX_ITEMS_MAX)
        return -EINVAL;
    while (!has_room(made.capacity_max, items_max))
        made.capacity_max *= 2;
    made.slots = region_reserve(region_bytes(&made));
    if (!made.slots)
        return -ENOMEM;
    *ix = made;
    return 0;
}

void index_fini(struct index *ix)
{
    region_release(ix->slots, region_bytes(ix));
    ix->slots = NULL;
}

static void slot_publish(struct index *ix, uint32_t capacity, uint64_t entry)
{
    uint32_t at = (uint32_t)(entry >> 32);

    while (ix->slots[capacity + (at & (capacity - 1))] != 0)
        at++;
    store_release_u64(&ix->slots[capacity + (at & (capacity - 1))], entry); /* partner: index_next() */
}

/* Slots are taken in order of their low bits and land in two runs of rising addresses: cheap for a cache. */
static void index_grow(struct index *ix)
{
    uint32_t old = ix->capacity;

    for (uint32_t i = 0; i < old; i++)
        if (ix->slots[old + i] != 0)
            slot_publish(ix, 2 * old, ix->slots[old + i]);
    store_release_u32(&ix->capacity, 2 * old); /* partner: index_probe() */
    region_discard(ix->slots + old, old * sizeof(ix->slots[0]));
}

void index_insert(struct index *ix, uint64_t hash, uint32_t item)
{
    if (!has_room(ix->capacity, ix->items + 1)) {
        assert(ix->capacity < ix->capacity_max);
        index_grow(ix);
    }
    slot_publish(ix, ix->capacity, hash << 32 | (item + 1));
    ix->items++;
}
