#pragma once
/* What keys are made of. Only keys.c, keys_forget.c and keys_give_up.c may look.
 *
 * Thread: the flusher's. */

#include "owed/keys.h"

/* A queue threaded through a column. A key can wait in it once, and waiting takes no memory. */
struct key_list {
    uint32_t head, tail, count;
};

static inline void key_list_push(struct key_list *l, uint32_t *next, uint32_t key)
{
    if (l->count++)
        next[l->tail] = key;
    else
        l->head = key;
    l->tail = key;
}

/* Returns KEY_NONE when it is empty. */
static inline uint32_t key_list_pop(struct key_list *l, const uint32_t *next)
{
    if (l->count == 0)
        return KEY_NONE;
    uint32_t key = l->head;
    if (--l->count)
        l->head = next[key];
    return key;
}

enum key_place {
    KEY_IN_NONE,
    KEY_IN_DIRTY,
    KEY_IN_DIRTY_FOR_HELD, /* refused after it was touched again, so it moves on when its turn comes */
    KEY_IN_HELD,
    KEY_IN_RESTING,       /* few hits, for a short time */
    KEY_IN_LEAVING,       /* in no list */
    KEY_IN_LEAVING_DIRTY, /* likewise, and to be dirty if it stays */
};

/* Moments as keys remember them are so coarse that two years fit. An idle key is looked at far more often. */
#define KEY_MOMENT_SHIFT 4
static inline uint32_t key_moment(uint64_t ms) { return (uint32_t)(ms >> KEY_MOMENT_SHIFT); }

struct keys_shard {
    struct shard *shard;
    key_cell *next;      /* owned. The next cell of the same key, by cell */
    uint64_t *inherited; /* owned. The count of the first inherited_cells when they were inherited, or NULL */
    uint32_t inherited_cells;
};

/* Of a key that waits for more hits. Each is key + 1, and 0 is none. */
struct key_rest {
    uint32_t before, behind;
    uint32_t since; /* a moment */
};

struct keys {
    struct totals *totals;
    struct places *places;
    const struct keyspace *space;
    struct sums *sums; /* owned. NULL when totals of namespaces are not kept */
    struct tops *tops; /* owned. NULL when no highest keys are kept */
    uint32_t keys_max;
    uint32_t shards_count;
    uint32_t dirty_count; /* in all partitions */
    uint64_t pushes;
    uint32_t end;           /* no key is above */
    uint32_t clock;         /* a moment */
    struct key_list *dirty; /* owned, by partition */
    struct key_list held, unsure;
    /* all owned, by key */
    uint32_t *next; /* in dirty and held */
    uint32_t *unsure_next;
    uint8_t *place;        /* enum key_place */
    uint64_t *aside;       /* refused hits of a held key */
    uint32_t *first_cell;  /* the number + 1 of its first cell … */
    uint16_t *first_shard; /* … in this shard */
    uint8_t *partition;
    uint16_t *sum;                  /* the number of its namespace. Only with `sums` */
    uint32_t *used;                 /* a moment */
    struct key_rest *rests;         /* NULL when no key rests */
    uint32_t rest_first, rest_last; /* key + 1. The longest at rest is the first */
    uint32_t rest_for;              /* moments */
    struct keys_shard shards[];
};

/* ---- a cell, by its one number ---- */
static inline uint32_t key_cell_shard(key_cell id) { return (uint32_t)((id - 1) >> 32); }
static inline uint32_t key_cell_index(key_cell id) { return (uint32_t)(id - 1); }

void keys_note_sum(struct keys *k, uint32_t key, struct slice name);
uint64_t keys_unstored(const struct keys *k, uint32_t key);

/* ---- keys_rest.c ---- */
/* A cell of it was hit, so it becomes dirty, or rests. */
void keys_touch(struct keys *k, uint32_t key);
void keys_rest_end(struct keys *k, uint32_t key); /* it is in no list then */
void keys_wake_rested(struct keys *k);            /* those that have rested long enough become dirty */
void keys_end_rests(struct keys *k);
