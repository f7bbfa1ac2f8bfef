#pragma once
/* What the store is known to hold for each name, published by the flusher for every reader.
 *
 * Thread: the flusher writes; any thread reads. One entry a name and process, created by the
 * flusher when it first meets the name; entries are never removed. `stored` and `base` are written
 * as a pair (a sequence lock): value = stored + (sum of the cells' counts - base), so a read never
 * counts a delta twice and never goes backwards.
 *
 * Memory is reserved for `entries_max` and becomes resident as it is used: 40 bytes an entry, and 11…21
 * for the index. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/slice.h"

struct totals;

#define TOTALS_NONE UINT32_MAX

struct total {
    int64_t stored;    /* what the store answered last */
    uint64_t base;     /* of this process's count, how much is contained in `stored` */
    uint64_t as_of_ms; /* monotonic ms of that answer; 0: never asked, `stored` is not known */
};

struct totals_config {
    uint32_t entries_max;        /* 1…2^28 */
    struct siphash_key hash_key; /* the shards' */
};

/* 0, -ENOMEM, -EINVAL. */
int totals_create(struct totals **out, const struct totals_config *config);
void totals_destroy(struct totals *t); /* NULL is allowed */

/* ---- flusher ---- */
/* The entry of `name`, made when missing; TOTALS_NONE when full. `name` must outlive the totals
 * (it points into a shard). */
uint32_t totals_intern(struct totals *t, struct slice name, uint64_t hash);
void totals_publish(struct totals *t, uint32_t entry, const struct total *value);

/* ---- any thread ---- */
uint32_t totals_find(const struct totals *t, struct slice name, uint64_t hash);
void totals_read(const struct totals *t, uint32_t entry, struct total *out);
struct slice totals_name(const struct totals *t, uint32_t entry);
uint32_t totals_entries(const struct totals *t);
