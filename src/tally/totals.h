#pragma once
/* What the store is known to hold for each name, published by the flusher for every reader.
 *
 * Thread: the flusher writes. Any thread reads.
 * Each name has one entry. The flusher makes it when it first meets a cell of that name, and never removes it. An entry
 * is found through the cells of its name, in whatever shards they are, so it needs neither the name nor an index.
 * `stored` and `base` are written as a pair, under a sequence lock. The value is stored + (sum of the cells' counts -
 * base), so a read never counts a delta twice and never goes backwards.
 * Memory is reserved for `entries_max` and becomes resident as it is used, 24 bytes an entry and 4 a cell. */

#include <stdint.h>

#include "base/slice.h"
#include "tally/shard.h"

struct totals;

#define TOTALS_NONE UINT32_MAX

struct total {
    int64_t stored;    /* what the store answered last */
    uint64_t base;     /* how much of this process's count is in `stored` */
    uint64_t as_of_ms; /* monotonic ms of that answer. 0 when it was never asked, and `stored` is not known */
};

struct totals_config {
    struct shard *const *shards; /* outlive the totals */
    uint32_t shards_count;
    uint32_t entries_max; /* 1…SHARD_CELLS_MAX, and at least as many as a shard has cells */
};

/* Returns 0, -ENOMEM or -EINVAL. */
int totals_create(struct totals **out, const struct totals_config *config);
void totals_destroy(struct totals *t); /* NULL is allowed */

/* ---- flusher ---- */
/* Returns the entry of the name that `cell` of `shard` counts, made when it is missing. TOTALS_NONE when full. */
uint32_t totals_intern(struct totals *t, uint32_t shard, uint32_t cell);
void totals_publish(struct totals *t, uint32_t entry, const struct total *value);

/* ---- any thread ---- */
/* Both return TOTALS_NONE when the flusher has not met that cell, or no cell of that name. */
uint32_t totals_of_cell(const struct totals *t, uint32_t shard, uint32_t cell);
uint32_t totals_find(const struct totals *t, struct slice name, uint64_t hash);
void totals_read(const struct totals *t, uint32_t entry, struct total *out);
