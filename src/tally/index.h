#pragma once
/* From the hash of a name to the numbers of the items that may have it, by open addressing.
 *
 * Thread: one owner inserts and removes. Any thread probes, also while the table grows or shrinks. There is no lock.
 * A slot has 8 bytes, 32 bits of the hash (the tag) and the item's number + 1. At most 3/4 of the slots are taken, so
 * a key costs 11 to 21 bytes. The caller compares the names. (ck_ht, as Debian builds it without pointer packing, has
 * slots of 32 bytes and keeps half of them free, so a key would cost 64 to 128.)
 * All tables that there will ever be lie in one reserved region, the one of capacity c in slots[c … 2c-1]. Growing
 * fills the next one, publishes its capacity, and discards the memory of the old one, whose addresses then read zero.
 * The next one is filled a few slots with each of the last inserts, so that no insert takes long.
 * A probe that is still in the old table finds an item or an empty slot. At an empty slot it looks whether the capacity
 * has changed, and starts again when it has.
 * Removing moves the items behind the gap forward, so that no mark of what was there is left and a table never fills
 * with such marks. A probe may miss an item that moves while it passes. So at an empty slot it also looks whether
 * anything was removed meanwhile, and starts again when it was. What is found costs nothing more. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/atomic.h"

struct index {
    uint64_t *slots;     /* owned, a region of 2 * capacity_max */
    uint32_t capacity;   /* a power of two */
    uint32_t removals;   /* begun and ended, so it is odd while one is under way */
    uint32_t items;      /* the owner's, as are the next two */
    uint32_t moved : 27; /* how many times INDEX_MOVED slots are in the next table as well. 0 when it is not begun */
    uint32_t capacity_max_log2 : 5; /* enough for items_max */
};
_Static_assert(sizeof(struct index) == 24, "a part of the line that every hit reads");

/* From 11/16 of the slots taken to 12/16, so many slots are moved an insert. It is done when the table is full. */
#define INDEX_MOVED 16

#define INDEX_NONE UINT32_MAX
#define INDEX_ITEMS_MAX (1u << 28)

/* Returns 0, -ENOMEM, or -EINVAL when items_max is not in 1…INDEX_ITEMS_MAX. */
int index_init(struct index *ix, uint32_t items_max);
void index_fini(struct index *ix);
/* Publishes `item`, which is not there yet. At most items_max of them. Called by the owner. */
void index_insert(struct index *ix, uint64_t hash, uint32_t item);
/* Goes on with a move to the next table, by at most so many steps of INDEX_MOVED slots. Returns whether none is under
 * way. Called by the owner. */
bool index_settle(struct index *ix, uint32_t steps);
/* Takes out an item that is there. Only when index_settle() says so. Called by the owner. */
void index_remove(struct index *ix, uint64_t hash, uint32_t item);

struct index_probe {
    const struct index *ix;
    uint32_t tag;
    uint32_t at;
    uint32_t capacity; /* of the table that is being probed */
    uint32_t removals; /* when the probe began, as far as it knows */
};

static inline struct index_probe index_probe(const struct index *ix, uint64_t hash)
{
    /* partner: index_move(), whose store makes the whole new table visible */
    return (struct index_probe){ix, (uint32_t)hash, (uint32_t)hash, load_acquire_u32(&ix->capacity), 0};
}

/* Called at an empty slot. Returns whether the probe has passed every item with its tag. If not, it starts again. The
 * first time it assumes that nothing was ever removed, as a hit finds what it looks for and never comes here. */
static inline bool index_passed_all(struct index_probe *p)
{
    fence_loads(); /* an empty slot of a discarded table, or an item's old place, was read after what changed it */
    uint32_t removals = load_acquire_u32(&p->ix->removals); /* partner: index_remove() */
    uint32_t capacity = load_acquire_u32(&p->ix->capacity); /* partner: index_move() */

    if (capacity == p->capacity && removals == p->removals && removals % 2 == 0)
        return true;
    *p = (struct index_probe){p->ix, p->tag, p->tag, capacity, removals};
    return false;
}

/* Returns the next item with this tag, or INDEX_NONE. One that was seen may come again when the probe starts again. */
static inline uint32_t index_next(struct index_probe *p)
{
    for (;;) {
        const uint64_t *slot = &p->ix->slots[p->capacity + (p->at++ & (p->capacity - 1))];
        /* relaxed because most slots are passed over. The one that is used is fenced below */
        uint64_t found = load_relaxed_u64(slot);

        if (found == 0) {
            if (index_passed_all(p))
                return INDEX_NONE;
        } else if ((uint32_t)(found >> 32) == p->tag) {
            /* partner: slot_publish(). What the owner wrote of the item is visible. The slot is not loaded
             * again, since its table may have been discarded. */
            fence_acquire(slot);
            return (uint32_t)found - 1;
        }
    }
}
