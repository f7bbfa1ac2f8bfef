#pragma once
/* What keys are made of: for keys.c, keys_forget.c and keys_give_up.c alone.
 *
 * Thread: the flusher's. */

#include "ledger/key_list.h"
#include "ledger/keys.h"

enum key_place {
    KEY_IN_NONE,
    KEY_IN_DIRTY,
    KEY_IN_DIRTY_FOR_HELD, /* refused after it was touched again: moves on when its turn comes */
    KEY_IN_HELD,
    KEY_IN_LEAVING,       /* in no list */
    KEY_IN_LEAVING_DIRTY, /* likewise, and to be dirty if it stays */
};

/* Of a moment, as keys remember it: so coarse that two years fit, and an idle key is looked at far more often. */
#define KEY_MOMENT_SHIFT 4
static inline uint32_t key_moment(uint64_t ms) { return (uint32_t)(ms >> KEY_MOMENT_SHIFT); }

struct keys_shard {
    struct shard *shard;
    key_cell *next;      /* owned; by cell: the same key in another shard */
    uint64_t *inherited; /* owned; by cell, of the first inherited_cells: its count then; NULL: none */
    uint32_t inherited_cells;
};

struct keys {
    struct totals *totals;
    struct places *places;
    const struct keyspace *space;
    uint32_t keys_max;
    uint32_t shards_count;
    uint32_t dirty_count; /* in all partitions */
    uint64_t pushes;
    uint32_t end;           /* no key is above */
    uint32_t clock;         /* a moment */
    struct key_list *dirty; /* owned; by partition */
    struct key_list held, unsure;
    uint32_t *next;        /* owned; by key, of dirty and held */
    uint32_t *unsure_next; /* owned; by key */
    uint8_t *place;        /* owned; by key, enum key_place */
    uint64_t *aside;       /* owned; by key: refused hits of a held key */
    uint32_t *first_cell;  /* owned; by key: its number + 1 … */
    uint16_t *first_shard; /* owned; … in this shard */
    uint8_t *partition;    /* owned; by key */
    uint32_t *used;        /* owned; by key: a moment */
    struct keys_shard shards[];
};

/* ---- a cell, by its one number ---- */
static inline uint32_t key_cell_shard(key_cell id) { return (uint32_t)((id - 1) >> 32); }
static inline uint32_t key_cell_index(key_cell id) { return (uint32_t)(id - 1); }

uint64_t keys_unstored(const struct keys *k, uint32_t key);
