#include "tally/totals.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/region.h"
#include "sync/atomic.h"
#include "sync/seqlock.h"

#define LEAVING (UINT32_C(1) << 31) /* in of_cell */
_Static_assert(TOTALS_ENTRIES_MAX < LEAVING, "an entry's number + 1 leaves that bit free");
#define LOCKS 256 /* shared by the entries: a reader waits for its own entry's writer, or one in so many others' */

/* The flusher writes under its lock, any thread reads. */
struct entry {
    uint64_t stored; /* an int64_t. Of one that was given back: the next one's number + 1 */
    uint64_t base;
    uint64_t as_of_ms;
};
_Static_assert(sizeof(struct entry) == 24, "a part of what a key may cost");

struct totals {
    struct shard *const *shards;
    uint32_t shards_count;
    uint32_t entries_max;
    uint32_t used;         /* the flusher's, as is the next */
    uint32_t given_back;   /* the first, + 1. 0: none */
    struct entry *entries; /* owned region, entries_max of them */
    struct seqlock locks[LOCKS];
    uint32_t *of_cell[]; /* owned regions; by shard and cell: entry + 1, and LEAVING; 0: not met yet */
};

int totals_create(struct totals **out, const struct totals_config *config)
{
    if (config->entries_max == 0 || config->entries_max > TOTALS_ENTRIES_MAX)
        return -EINVAL;
    struct totals *t = calloc(1, sizeof(*t) + config->shards_count * sizeof(t->of_cell[0]));
    if (!t)
        return -ENOMEM;
    t->shards = config->shards;
    t->shards_count = config->shards_count;
    t->entries_max = config->entries_max;
    t->entries = region_reserve(t->entries_max * sizeof(t->entries[0]));
    bool ok = t->entries;
    for (uint32_t i = 0; ok && i < t->shards_count; i++) {
        t->of_cell[i] = region_reserve(t->entries_max * sizeof(t->of_cell[i][0]));
        ok = t->of_cell[i];
    }
    if (!ok) {
        totals_destroy(t);
        return -ENOMEM;
    }
    *out = t;
    return 0;
}

void totals_destroy(struct totals *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->shards_count; i++)
        region_release(t->of_cell[i], t->entries_max * sizeof(t->of_cell[i][0]));
    region_release(t->entries, t->entries_max * sizeof(t->entries[0]));
    free(t);
}

uint32_t totals_of_cell(const struct totals *t, uint32_t shard, uint32_t cell)
{
    assert(cell < t->entries_max);
    /* relaxed because it is a number only: what the entry holds is published under its lock; 0 - 1 is TOTALS_NONE */
    return (load_relaxed_u32(&t->of_cell[shard][cell]) & ~LEAVING) - 1;
}

bool totals_covers(const struct totals *t, uint32_t shard, uint32_t cell)
{
    uint32_t of = load_relaxed_u32(&t->of_cell[shard][cell]); /* relaxed because the entry's sequence lock orders it */

    return of && !(of & LEAVING);
}

uint32_t totals_find(const struct totals *t, struct slice name, uint64_t hash)
{
    for (uint32_t i = 0; i < t->shards_count; i++) {
        uint32_t cell = shard_find(t->shards[i], name, hash);
        uint32_t entry = cell == SHARD_CELL_NONE ? TOTALS_NONE : totals_of_cell(t, i, cell);
        if (entry != TOTALS_NONE)
            return entry;
    }
    return TOTALS_NONE;
}

static uint32_t lock_of(uint32_t entry) { return entry % LOCKS; }

/* ---- which entry a cell is of ---- */

/* From now on the entry's base covers the cell, or no more. */
static void cell_set(struct totals *t, uint32_t shard, uint32_t cell, uint32_t of)
{
    uint32_t entry = (of & ~LEAVING) - 1;
    struct entry *e = &t->entries[entry];
    struct seqlock *lock = &t->locks[lock_of(entry)];
    uint64_t baseline = shard_baseline(t->shards[shard], cell);

    seqlock_write_begin(lock); /* partner: totals_read_begin() */
    store_relaxed_u32(&t->of_cell[shard][cell], of);
    store_relaxed_u64(&e->base, of & LEAVING ? e->base - baseline : e->base + baseline);
    seqlock_write_end(lock);
}

static uint32_t entry_take(struct totals *t)
{
    uint32_t entry = t->given_back - 1;

    if (t->given_back) {
        t->given_back = (uint32_t)t->entries[entry].stored;
        t->entries[entry].stored = 0;
        return entry;
    }
    return t->used < t->entries_max ? t->used++ : TOTALS_NONE;
}

uint32_t totals_intern(struct totals *t, uint32_t shard, uint32_t cell)
{
    uint32_t entry = totals_of_cell(t, shard, cell);
    if (entry != TOTALS_NONE)
        return entry;
    struct slice name = shard_name(t->shards[shard], cell);
    if (t->shards_count > 1)
        entry = totals_find(t, name, shard_hash(t->shards[shard], name));
    if (entry == TOTALS_NONE)
        entry = entry_take(t);
    if (entry != TOTALS_NONE)
        cell_set(t, shard, cell, entry + 1);
    return entry;
}

void totals_leave(struct totals *t, uint32_t shard, uint32_t cell)
{
    assert(totals_covers(t, shard, cell));
    cell_set(t, shard, cell, t->of_cell[shard][cell] | LEAVING);
}

void totals_stay(struct totals *t, uint32_t shard, uint32_t cell)
{
    assert(t->of_cell[shard][cell] & LEAVING);
    cell_set(t, shard, cell, t->of_cell[shard][cell] & ~LEAVING);
}

void totals_part(struct totals *t, uint32_t shard, uint32_t cell)
{
    assert(t->of_cell[shard][cell] & LEAVING);
    store_relaxed_u32(&t->of_cell[shard][cell], 0); /* relaxed because nobody finds that cell any more */
}

void totals_give_back(struct totals *t, uint32_t entry)
{
    t->entries[entry] = (struct entry){.stored = t->given_back};
    t->given_back = entry + 1;
}

/* ---- pairs ---- */

/* The fields are relaxed because the sequence lock orders them; it cannot keep a reader from loading in the
 * middle, only from using what it loaded. */
void totals_publish(struct totals *t, uint32_t entry, const struct total *value)
{
    struct entry *e = &t->entries[entry];
    struct seqlock *lock = &t->locks[lock_of(entry)];

    seqlock_write_begin(lock); /* partner: totals_read_begin() */
    store_relaxed_u64(&e->stored, (uint64_t)value->stored);
    store_relaxed_u64(&e->base, value->base);
    store_relaxed_u64(&e->as_of_ms, value->as_of_ms);
    seqlock_write_end(lock);
}

unsigned totals_read_begin(const struct totals *t, uint32_t entry, struct total *out)
{
    const struct entry *e = &t->entries[entry];
    unsigned sequence = seqlock_read_begin(&t->locks[lock_of(entry)]); /* partner: totals_publish(), cell_set() */

    out->stored = (int64_t)load_relaxed_u64(&e->stored);
    out->base = load_relaxed_u64(&e->base);
    out->as_of_ms = load_relaxed_u64(&e->as_of_ms);
    return sequence;
}

bool totals_read_ended(const struct totals *t, uint32_t entry, unsigned sequence)
{
    return !seqlock_read_retry(&t->locks[lock_of(entry)], sequence);
}

void totals_read(const struct totals *t, uint32_t entry, struct total *out)
{
    unsigned sequence;

    do
        sequence = totals_read_begin(t, entry, out);
    while (!totals_read_ended(t, entry, sequence));
}
