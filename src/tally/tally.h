#pragma once
/* All counters of the process, every worker's shard and what the store holds of each name.
 *
 * Thread: main creates it before the workers. shard.h, totals.h and forget.h say who may do what. Names
 * and counts are for the workers and the flusher: a cell gets another name when all of these are known to look
 * elsewhere. Who else reads them must not believe them. `keys_max` bounds the distinct names of the process. A name
 * that another worker counts already is not new. The bound is kept by one shared number, which is touched only when a
 * name is new or forgotten (tally/places.h). */

#include <stdbool.h>
#include <stdint.h>

#include "tally/name.h"

struct answers;     /* tally/answers.h */
struct forget_desk; /* tally/forget.h */
struct places;      /* tally/places.h */
struct shard;       /* tally/shard.h */
struct state_file;  /* tally/state_file.h */
struct tally;
struct totals; /* tally/totals.h */

struct tally_config {
    uint32_t workers;
    uint32_t keys_max;
    /* NULL keeps all in memory. The geometry is for these workers and at least tally_cells_max(). It outlives `tally`.
     */
    const struct state_file *state;
};

struct tally_value {
    int64_t value;     /* stored + pending */
    int64_t stored;    /* meaningful when `known` */
    uint64_t pending;  /* counted by this process and not yet in `stored` */
    uint64_t as_of_ms; /* monotonic ms. 0 when the store was never asked */
    bool counted;      /* some worker of this process has counted it */
    bool known;        /* `stored` came from the store */
};

/* Only TALLY_COUNTED has counted anything. */
enum tally_result {
    TALLY_COUNTED,
    TALLY_KEY_LIMIT, /* one name too many */
    TALLY_OVERFLOW,  /* the sum of a cell would pass SEAL_MAX, 2^56 - 1 */
    TALLY_NEW,       /* nobody counts that name. Of tally_hit_known() only */
    TALLY_NO_SPACE,  /* the file system of the state file is full, and the name is new */
};

/* Returns 0, -ENOMEM, -EINVAL when workers is 0 or keys_max not in 1…2^28, or the kernel's -errno when it has no
 * randomness. */
int tally_create(struct tally **out, const struct tally_config *config);
/* Returns how many cells a shard needs for so many names, when some are being forgotten. */
uint32_t tally_cells_max(uint32_t keys);
void tally_destroy(struct tally *t); /* NULL is allowed */
uint32_t tally_workers(const struct tally *t);
uint32_t tally_entries_max(const struct tally *t); /* of the totals: those, and names on their way out */
struct shard *tally_shard(struct tally *t, uint32_t worker);
struct totals *tally_totals(struct tally *t);
struct answers *tally_answers(struct tally *t);
struct places *tally_places(struct tally *t);
struct forget_desk *tally_desk(struct tally *t, uint32_t reader);
uint32_t tally_keys(const struct tally *t); /* distinct names (never fewer than there are), for metrics */

/* Finds a cell in which a name is counted. Returns false when there is none. */
bool tally_find(const struct tally *t, struct slice name, uint32_t *worker, uint32_t *cell);

/* Who reads names and counts answers from now on, which is every worker, and, if there is one, the reader behind the
 * last worker. Before, nothing is forgotten. Called once, by main. */
void tally_open_desks(struct tally *t, bool reader);
uint32_t tally_desks(const struct tally *t); /* how many answer. 0: none yet. Any thread */

/* ---- recovery, before the workers start ---- */
/* Counts `hits`, whatever keys_max says. `worker` does, unless another counts the name already. Returns 0, -ENOSPC
 * without room for the name, or -EOVERFLOW. */
int tally_take_over(struct tally *t, uint32_t worker, struct slice name, uint64_t hits);

/* ---- worker `worker` ---- */
/* tally_hit_known() counts only names that some worker counts already. */
enum tally_result tally_hit(struct tally *t, uint32_t worker, struct slice name, uint64_t n);
enum tally_result tally_hit_known(struct tally *t, uint32_t worker, struct slice name, uint64_t n);
bool tally_is_full(const struct tally *t); /* a new name would be one too many */
/* Answers the flusher, when it wants names to be forgotten. Between two requests. Of the reader, too. */
void tally_answer(struct tally *t, uint32_t reader);
/* What this worker has counted of a name so far. */
struct tally_mark {
    uint32_t worker, cell; /* SHARD_CELL_NONE when it never counted it */
    uint64_t count;
};
struct tally_mark tally_mark(const struct tally *t, uint32_t worker, struct slice name);

/* ---- workers and the flusher ---- */
void tally_read(const struct tally *t, struct slice name, struct tally_value *out);
