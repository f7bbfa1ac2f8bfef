#include "tally/index.h"

#include <assert.h>
#include <errno.h>

#include "base/region.h"

#define CAPACITY_MIN 512 /* a page of 4 KiB, so that every table starts and ends with a page */

/* From 11/16 of the slots taken to 12/16, 16 slots are moved an insert: done when the table is full. */
#define MOVED_AN_INSERT 16
#define MOVING_BEGINS 11

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

/* The place it took. */
static uint32_t slot_publish(struct index *ix, uint32_t capacity, uint64_t entry)
{
    uint32_t at = (uint32_t)(entry >> 32);

    while (ix->slots[capacity + (at & (capacity - 1))] != 0)
        at++;
    store_release_u64(&ix->slots[capacity + (at & (capacity - 1))], entry); /* partner: index_next() */
    return at & (capacity - 1);
}

/* Slots are taken in order of their low bits and land in two runs of rising addresses: cheap for a cache. */
static void index_move(struct index *ix, uint32_t slots)
{
    uint32_t old = ix->capacity;

    for (uint32_t end = ix->moved + slots; ix->moved < end; ix->moved++)
        if (ix->slots[old + ix->moved] != 0)
            slot_publish(ix, 2 * old, ix->slots[old + ix->moved]);
    if (ix->moved < old)
        return;
    ix->moved = 0;
    store_release_u32(&ix->capacity, 2 * old); /* partner: index_probe() */
    region_discard(ix->slots + old, old * sizeof(ix->slots[0]));
}

void index_insert(struct index *ix, uint64_t hash, uint32_t item)
{
    uint64_t entry = hash << 32 | (item + 1);

    assert(has_room(ix->capacity, ix->items + 1));
    uint32_t at = slot_publish(ix, ix->capacity, entry);
    if (at < ix->moved) /* moving has passed this place */
        slot_publish(ix, 2 * ix->capacity, entry);
    if (ix->items++ >= ix->capacity / MOVED_AN_INSERT * MOVING_BEGINS && ix->capacity < ix->capacity_max)
        index_move(ix, MOVED_AN_INSERT);
}
