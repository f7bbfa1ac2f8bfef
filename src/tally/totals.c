#include "tally/totals.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/region.h"
#include "sync/atomic.h"
#include "sync/seqlock.h"
#include "tally/index.h"

struct entry {
    struct seqlock lock;
    uint16_t name_bytes; /* constant once the entry is published, as is name_at */
    const char *name_at; /* borrowed from a shard */
    /* flusher writes under `lock`, any thread reads */
    uint64_t stored; /* an int64_t */
    uint64_t base;
    uint64_t as_of_ms;
};
_Static_assert(sizeof(struct entry) == 40, "a part of what a key may cost");

struct totals {
    struct entry *entries; /* owned region, entries_max of them */
    uint32_t entries_max;
    uint32_t used; /* flusher writes, any thread reads: so many are whole */
    struct index index;
};

int totals_create(struct totals **out, const struct totals_config *config)
{
    struct totals *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    int failed = index_init(&t->index, config->entries_max);
    if (failed)
        goto free_totals;
    t->entries_max = config->entries_max;
    t->entries = region_reserve(t->entries_max * sizeof(struct entry));
    failed = t->entries ? 0 : -ENOMEM;
    if (failed)
        goto free_index;
    *out = t;
    return 0;

free_index:
    index_fini(&t->index);
free_totals:
    free(t);
    return failed;
}

void totals_destroy(struct totals *t)
{
    if (!t)
        return;
    region_release(t->entries, t->entries_max * sizeof(struct entry));
    index_fini(&t->index);
    free(t);
}

struct slice totals_name(const struct totals *t, uint32_t entry)
{
    const struct entry *e = &t->entries[entry];

    return (struct slice){e->name_at, e->name_bytes};
}

uint32_t totals_find(const struct totals *t, struct slice name, uint64_t hash)
{
    struct index_probe probe = index_probe(&t->index, hash);
    uint32_t entry;

    do
        entry = index_next(&probe);
    while (entry != INDEX_NONE && !slice_equals(totals_name(t, entry), name));
    return entry;
}
_Static_assert(INDEX_NONE == TOTALS_NONE, "an entry is an item of the index");

uint32_t totals_intern(struct totals *t, struct slice name, uint64_t hash)
{
    assert(name.bytes > 0 && name.bytes <= UINT16_MAX);
    uint32_t entry = totals_find(t, name, hash);
    if (entry != TOTALS_NONE)
        return entry;
    if (t->used == t->entries_max)
        return TOTALS_NONE;
    entry = t->used;
    t->entries[entry].name_at = name.at;
    t->entries[entry].name_bytes = (uint16_t)name.bytes;
    store_release_u32(&t->used, entry + 1); /* partner: totals_entries() */
    index_insert(&t->index, hash, entry);
    return entry;
}

/* The fields are relaxed because the sequence lock orders them; it cannot keep a reader from loading in the
 * middle, only from using what it loaded. */
void totals_publish(struct totals *t, uint32_t entry, const struct total *value)
{
    struct entry *e = &t->entries[entry];

    seqlock_write_begin(&e->lock); /* partner: totals_read() */
    store_relaxed_u64(&e->stored, (uint64_t)value->stored);
    store_relaxed_u64(&e->base, value->base);
    store_relaxed_u64(&e->as_of_ms, value->as_of_ms);
    seqlock_write_end(&e->lock);
}

void totals_read(const struct totals *t, uint32_t entry, struct total *out)
{
    const struct entry *e = &t->entries[entry];
    unsigned sequence;

    do {
        sequence = seqlock_read_begin(&e->lock); /* partner: totals_publish() */
        out->stored = (int64_t)load_relaxed_u64(&e->stored);
        out->base = load_relaxed_u64(&e->base);
        out->as_of_ms = load_relaxed_u64(&e->as_of_ms);
    } while (seqlock_read_retry(&e->lock, sequence));
}

uint32_t totals_entries(const struct totals *t) { return load_acquire_u32(&t->used); /* partner: totals_intern() */ }
