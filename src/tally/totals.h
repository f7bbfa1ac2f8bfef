#pragma once
/* What the store is known to hold for each name, published by the flusher for every reader.
 *
 * Thread: the flusher writes. Any thread reads.
 * Each name has one entry. The flusher makes it when it first meets a cell of that name, and gives it back when the
 * name is forgotten. An entry is found through the cells of its name, in whatever shards they are, so it needs neither
 * the name nor an index. `stored` and `base` are written as a pair, under a sequence lock. The value is stored + (sum
 * of the cells' counts - base), so a read never counts a delta twice and never goes backwards. `base` covers the cells
 * of the entry, but not one that is leaving. Of a cell that is not covered, its count - baseline is what it adds, so
 * that it may vanish at any moment after all of it is stored. Memory is reserved for `entries_max` and becomes resident
 * as it is used, 24 bytes an entry and 4 a cell. */

#include <stdbool.h>
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
    uint32_t entries_max; /* 1…TOTALS_ENTRIES_MAX, and at least as many as a shard has cells */
};

#define TOTALS_ENTRIES_MAX (2 * SHARD_CELLS_MAX)

/* Returns 0, -ENOMEM or -EINVAL. */
int totals_create(struct totals **out, const struct totals_config *config);
void totals_destroy(struct totals *t); /* NULL is allowed */

/* ---- flusher ---- */
/* Returns the entry of the name that `cell` of `shard` counts, made when it is missing. TOTALS_NONE when full. */
uint32_t totals_intern(struct totals *t, uint32_t shard, uint32_t cell);
/* A cell of an entry, all of which is stored, is about to lose its name. It is covered no more. */
void totals_leave(struct totals *t, uint32_t shard, uint32_t cell);
/* It keeps its name after all. */
void totals_stay(struct totals *t, uint32_t shard, uint32_t cell);
/* It has lost its name, and nobody reads it any more. */
void totals_part(struct totals *t, uint32_t shard, uint32_t cell);
/* Gives an entry back that has no cell, and that nobody reads any more. */
void totals_give_back(struct totals *t, uint32_t entry);
void totals_publish(struct totals *t, uint32_t entry, const struct total *value);

/* ---- any thread ---- */
/* Both return TOTALS_NONE when the flusher has not met that cell, or no cell of that name. Who then reads baselines
 * must look again behind them: an entry is made before any baseline moves. */
uint32_t totals_of_cell(const struct totals *t, uint32_t shard, uint32_t cell);
uint32_t totals_find(const struct totals *t, struct slice name, uint64_t hash);
void totals_read(const struct totals *t, uint32_t entry, struct total *out);
/* Returns whether `base` covers the cell. */
bool totals_covers(const struct totals *t, uint32_t shard, uint32_t cell);
/* Reads the pair, and what else is read before totals_read_ended() says true belongs to it. */
unsigned totals_read_begin(const struct totals *t, uint32_t entry, struct total *out);
bool totals_read_ended(const struct totals *t, uint32_t entry, unsigned sequence);
