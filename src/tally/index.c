#include "tally/index.h"

#include <assert.h>
#include <errno.h>

#include "base/region.h"

#define CAPACITY_MIN_LOG2 9 /* a page of 4 KiB, so that every table starts and ends with a page */
#define CAPACITY_MIN (1u << CAPACITY_MIN_LOG2)

#define MOVING_BEGINS 11 /* sixteenths of the slots that are taken then */

static bool has_room(uint32_t capacity, uint32_t items) { return items <= capacity / 4 * 3; }

static uint32_t capacity_max(const struct index *ix) { return 1u << ix->capacity_max_log2; }

static size_t region_bytes(const struct index *ix) { return (size_t)capacity_max(ix) * 2 * sizeof(ix->slots[0]); }

int index_init(struct index *ix, uint32_t items_max)
{
    struct index made = {.capacity = CAPACITY_MIN, .capacity_max_log2 = CAPACITY_MIN_LOG2};

    if (items_max == 0 || items_max > INDEX_ITEMS_MAX)
        return -EINVAL;
    while (!has_room(capacity_max(&made), items_max))
        made.capacity_max_log2++;
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
static void index_move(struct index *ix)
{
    uint32_t old = ix->capacity;

    for (uint32_t at = ix->moved * INDEX_MOVED, end = at + INDEX_MOVED; at < end; at++)
        if (ix->slots[old + at] != 0)
            slot_publish(ix, 2 * old, ix->slots[old + at]);
    if (++ix->moved < old / INDEX_MOVED)
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
    if (at < ix->moved * INDEX_MOVED) /* moving has passed this place */
        slot_publish(ix, 2 * ix->capacity, entry);
    if (ix->items++ >= ix->capacity / 16 * MOVING_BEGINS && ix->capacity < capacity_max(ix))
        index_move(ix);
}

bool index_settle(struct index *ix, uint32_t steps)
{
    while (ix->moved && steps-- > 0)
        index_move(ix);
    return ix->moved == 0;
}

/* ---- removing ---- */

/* Where items with this entry's tag begin. */
static uint32_t home_of(const struct index *ix, uint64_t entry) { return (uint32_t)(entry >> 32) & (ix->capacity - 1); }

/* Fills the gap with what would be missed behind it, then the gap that this leaves, to the next empty slot. An item is
 * in its new place before its old one is overwritten. */
static void close_gap(struct index *ix, uint32_t gap)
{
    uint64_t *slots = ix->slots + ix->capacity;
    uint32_t mask = ix->capacity - 1;

    for (uint32_t at = (gap + 1) & mask; slots[at] != 0; at = (at + 1) & mask) {
        if (((at - home_of(ix, slots[at])) & mask) < ((at - gap) & mask))
            continue;                              /* it is looked for from behind the gap */
        store_release_u64(&slots[gap], slots[at]); /* partner: index_next() */
        gap = at;
    }
    store_release_u64(&slots[gap], 0); /* partner: index_next() */
}

void index_remove(struct index *ix, uint64_t hash, uint32_t item)
{
    uint64_t entry = hash << 32 | (item + 1);
    uint32_t mask = ix->capacity - 1, at = home_of(ix, entry);

    assert(ix->moved == 0);
    while (ix->slots[ix->capacity + at] != entry) {
        assert(ix->slots[ix->capacity + at] != 0);
        at = (at + 1) & mask;
    }
    store_relaxed_u32(&ix->removals, ix->removals + 1); /* partner: index_passed_all(), before anything moves … */
    fence_stores();
    close_gap(ix, at);
    store_release_u32(&ix->removals, ix->removals + 1); /* … and when all has */
    ix->items--;
}
