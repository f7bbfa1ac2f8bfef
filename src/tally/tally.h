#pragma once
/* All counters of the process: every worker's shard and what the store holds of each name.
 *
 * Thread: created by main before the workers; each shard as in shard.h; the totals as in totals.h.
 * `keys_max` bounds the distinct names of the process: a name that another worker already counts is
 * not a new one. The bound is kept by one shared number that is touched only when a name is new. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/name.h"
#include "tally/shard.h"
#include "tally/totals.h"

struct tally;

struct tally_config {
    uint32_t workers;
    uint32_t keys_max;
};

struct tally_value {
    int64_t value;     /* stored + pending */
    int64_t stored;    /* meaningful when `known` */
    uint64_t pending;  /* counted by this process and not yet in `stored` */
    uint64_t as_of_ms; /* monotonic ms; 0: the store was never asked */
    bool counted;      /* some worker of this process has counted it */
    bool known;        /* `stored` came from the store */
};

enum tally_result {
    TALLY_COUNTED,
    TALLY_KEY_LIMIT, /* one name too many: nothing counted */
    TALLY_OVERFLOW,  /* the sum would pass INT64_MAX: nothing counted */
};

/* 0, -ENOMEM, -EINVAL (workers 0, keys_max not in 1…2^28), or what the kernel says when it has no randomness. */
int tally_create(struct tally **out, const struct tally_config *config);
void tally_destroy(struct tally *t); /* NULL is allowed */
uint32_t tally_workers(const struct tally *t);
uint32_t tally_keys_max(const struct tally *t);
struct shard *tally_shard(struct tally *t, uint32_t worker);
struct totals *tally_totals(struct tally *t);
uint32_t tally_keys(const struct tally *t); /* distinct names (never fewer than there are), for metrics */

/* ---- worker `worker` ---- */
enum tally_result tally_hit(struct tally *t, uint32_t worker, struct slice name, uint64_t n);

/* ---- any thread ---- */
void tally_read(const struct tally *t, struct slice name, struct tally_value *out);
