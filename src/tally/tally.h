#pragma once
/* All counters of the process: every worker's shard and what the store holds of each name.
 *
 * Thread: created by main before the workers; each shard as in shard.h; the totals as in totals.h.
 * `keys_max` bounds the distinct names of the process: a name that another worker already counts is
 * not a new one. The bound is kept by one shared number that is touched only when a name is new. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/answers.h"
#include "tally/name.h"
#include "tally/shard.h"
#include "tally/state_file.h"
#include "tally/totals.h"

struct tally;

struct tally_config {
    uint32_t workers;
    uint32_t keys_max;
    /* NULL: in memory. Its geometry is for these workers and at least keys_max cells; it outlives the tally. */
    const struct state_file *state;
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
    TALLY_OVERFLOW,  /* the sum of a cell would pass SEAL_MAX, 2^56 - 1: nothing counted */
    TALLY_NEW,       /* of tally_hit_known(): nobody counts that name; nothing counted */
    TALLY_NO_SPACE,  /* the file system of the state file is full, and the name is new: nothing counted */
};

/* 0, -ENOMEM, -EINVAL (workers 0, keys_max not in 1…2^28), or what the kernel says when it has no randomness. */
int tally_create(struct tally **out, const struct tally_config *config);
void tally_destroy(struct tally *t); /* NULL is allowed */
uint32_t tally_workers(const struct tally *t);
uint32_t tally_keys_max(const struct tally *t); /* how many there is room for */
struct shard *tally_shard(struct tally *t, uint32_t worker);
struct totals *tally_totals(struct tally *t);
struct answers *tally_answers(struct tally *t);
uint32_t tally_keys(const struct tally *t); /* distinct names (never fewer than there are), for metrics */

/* Where a name is counted; false: nowhere. */
bool tally_find(const struct tally *t, struct slice name, uint32_t *worker, uint32_t *cell);

/* ---- recovery, before the workers start ---- */
/* As if `hits` had been counted; by `worker` unless another counts the name already, and whatever keys_max says.
 * 0, -ENOSPC (no room for the name), -EOVERFLOW. */
int tally_take_over(struct tally *t, uint32_t worker, struct slice name, uint64_t hits);

/* ---- worker `worker` ---- */
/* The second counts only names that some worker counts already. */
enum tally_result tally_hit(struct tally *t, uint32_t worker, struct slice name, uint64_t n);
enum tally_result tally_hit_known(struct tally *t, uint32_t worker, struct slice name, uint64_t n);
bool tally_is_full(const struct tally *t); /* a new name would be one too many */
/* What this worker has counted of a name so far. */
struct tally_mark {
    uint32_t worker, cell; /* SHARD_CELL_NONE: never counted by it */
    uint64_t count;
};
struct tally_mark tally_mark(const struct tally *t, uint32_t worker, struct slice name);

/* ---- any thread ---- */
void tally_read(const struct tally *t, struct slice name, struct tally_value *out);
