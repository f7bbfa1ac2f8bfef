#include "tally/tally.h"

#include <errno.h>
#include <stdlib.h>

#include "base/probes.h"
#include "base/random.h"
#include "sync/atomic.h"
#include "tally/answers.h"
#include "tally/forget.h"
#include "tally/places.h"
#include "tally/shard.h"
#include "tally/state_file.h"
#include "tally/storage.h"
#include "tally/totals.h"

#define CELL_NEW (SHARD_CELL_NO_SPACE - 1) /* no cell, and none was to be made */
_Static_assert(CELL_NEW > SHARD_CELLS_MAX, "no cell has that number");

struct tally {
    /* constant after creation */
    uint32_t
        keys_room; /* config's keys_max, or more when an old state file brought more names, and cells on their way */
    uint32_t workers;
    struct totals *totals;     /* owned */
    struct answers *answers;   /* owned */
    struct places *places;     /* owned */
    struct forget_desk *desks; /* owned; by worker, and one for a reader */
    uint32_t desks_open;       /* main writes once, the flusher reads */

    struct shard *shards[] __attribute__((aligned(64))); /* owned; constant after creation */
};

/* Every shard has room for all names, so that only `keys_max` can refuse one. */
static int shards_create(struct tally *t, const struct siphash_key *hash_key, const struct state_file *state)
{
    int failed = 0;

    for (uint32_t i = 0; i < t->workers && !failed; i++) {
        struct shard_config config = {.cells_max = t->keys_room, .hash_key = *hash_key};
        struct storage storage;
        if (state) {
            state_file_storage(state, i, &storage);
            config.storage = &storage;
        }
        failed = shard_create(&t->shards[i], &config);
    }
    return failed;
}

static int desks_create(struct tally *t)
{
    size_t bytes = (t->workers + 1) * sizeof(t->desks[0]);

    t->desks = aligned_alloc(_Alignof(struct forget_desk), bytes);
    if (!t->desks)
        return -ENOMEM;
    memset(t->desks, 0, bytes);
    return 0;
}

/* A name may be on its way out, with its entry, while its place in the index is taken by its next one. */
uint32_t tally_entries_max(const struct tally *t) { return t->keys_room + t->workers * FORGET_CELLS_MAX; }

uint32_t tally_cells_max(uint32_t keys)
{
    return keys < SHARD_CELLS_MAX - FORGET_CELLS_MAX ? keys + FORGET_CELLS_MAX : SHARD_CELLS_MAX;
}

int tally_create(struct tally **out, const struct tally_config *config)
{
    /* aligned_alloc() wants a multiple of the alignment */
    size_t bytes = sizeof(struct tally) + (config->workers * sizeof(struct shard *) + 63) / 64 * 64;
    struct siphash_key hash_key;

    if (config->workers == 0 || config->keys_max == 0 || config->keys_max > SHARD_CELLS_MAX)
        return -EINVAL;
    int failed = random_bytes(&hash_key, sizeof(hash_key));
    if (failed)
        return failed;
    struct tally *t = aligned_alloc(_Alignof(struct tally), bytes);
    if (!t)
        return -ENOMEM;
    memset(t, 0, bytes);
    t->keys_room = config->state ? state_file_geometry(config->state)->cells_max : tally_cells_max(config->keys_max);
    t->workers = config->workers;

    failed = shards_create(t, &hash_key, config->state);
    const struct totals_config totals_config = {
        .shards = t->shards, .shards_count = t->workers, .entries_max = tally_entries_max(t)};
    if (!failed)
        failed = totals_create(&t->totals, &totals_config);
    if (!failed)
        failed = answers_create(&t->answers);
    if (!failed)
        failed = places_create(&t->places, config->keys_max);
    if (!failed)
        failed = desks_create(t);
    if (failed)
        tally_destroy(t);
    else
        *out = t;
    return failed;
}

void tally_destroy(struct tally *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->workers; i++)
        shard_destroy(t->shards[i]);
    free(t->desks);
    places_destroy(t->places);
    answers_destroy(t->answers);
    totals_destroy(t->totals);
    free(t);
}

int tally_take_over(struct tally *t, uint32_t worker, struct slice name, uint64_t hits)
{
    uint32_t cell;

    if (!tally_find(t, name, &worker, &cell)) {
        cell = shard_intern(t->shards[worker], name, shard_hash(t->shards[worker], name), true);
        if (cell >= SHARD_CELL_NO_SPACE)
            return -ENOSPC;
        places_add(t->places, name);
    }
    return shard_add(t->shards[worker], cell, hits) ? 0 : -EOVERFLOW;
}

uint32_t tally_workers(const struct tally *t) { return t->workers; }

struct shard *tally_shard(struct tally *t, uint32_t worker) { return t->shards[worker]; }

struct totals *tally_totals(struct tally *t) { return t->totals; }

struct answers *tally_answers(struct tally *t) { return t->answers; }

struct places *tally_places(struct tally *t) { return t->places; }

struct forget_desk *tally_desk(struct tally *t, uint32_t reader) { return &t->desks[reader]; }

void tally_open_desks(struct tally *t, bool reader)
{
    store_release_u32(&t->desks_open, t->workers + reader); /* partner: tally_desks() */
}

uint32_t tally_desks(const struct tally *t)
{
    return load_acquire_u32(&t->desks_open); /* partner: tally_open_desks() */
}

void tally_answer(struct tally *t, uint32_t reader)
{
    forget_answer(&t->desks[reader], reader < t->workers ? t->shards[reader] : NULL, t->places);
}

uint32_t tally_keys(const struct tally *t)
{
    uint32_t keys = load_relaxed_u32(&t->places->taken); /* partner: places_take(); relaxed as it is only shown */

    return keys < t->keys_room ? keys : t->keys_room; /* over it while a refused one is being given back */
}

static bool counted_anywhere(const struct tally *t, struct slice name, uint64_t hash)
{
    for (uint32_t i = 0; i < t->workers; i++)
        if (shard_find(t->shards[i], name, hash) != SHARD_CELL_NONE)
            return true;
    return false;
}

bool tally_find(const struct tally *t, struct slice name, uint32_t *worker, uint32_t *cell)
{
    uint64_t hash = shard_hash(t->shards[0], name);

    for (uint32_t i = 0; i < t->workers; i++) {
        *worker = i;
        *cell = shard_find(t->shards[i], name, hash);
        if (*cell != SHARD_CELL_NONE)
            return true;
    }
    return false;
}

/* Two workers that meet a new name in the same microsecond take two places for it: the bound then errs by one on the
 * safe side, until the flusher meets both. Being exact at once would need a lock across all workers for each new name.
 */
static __attribute__((noinline)) uint32_t cell_create(struct tally *t, uint32_t worker, struct slice name,
                                                      uint64_t hash, bool only_known)
{
    bool known = counted_anywhere(t, name, hash);

    if (!known && only_known)
        return CELL_NEW;
    if (!known && !places_take(t->places, name))
        return SHARD_CELL_NONE;
    uint32_t cell = shard_intern(t->shards[worker], name, hash, !known);
    if (!known && cell >= SHARD_CELL_NO_SPACE)
        places_give_back(t->places, places_namespace(t->places, name));
    return cell;
}

static inline enum tally_result hit(struct tally *t, uint32_t worker, struct slice name, uint64_t n, bool only_known)
{
    struct shard *s = t->shards[worker];
    uint64_t hash = shard_hash(s, name);
    uint32_t cell = shard_find(s, name, hash);

    if (cell == SHARD_CELL_NONE)
        cell = cell_create(t, worker, name, hash, only_known);
    if (cell >= CELL_NEW)
        return cell == SHARD_CELL_NONE ? TALLY_KEY_LIMIT : cell == CELL_NEW ? TALLY_NEW : TALLY_NO_SPACE;
    return shard_add(s, cell, n) ? TALLY_COUNTED : TALLY_OVERFLOW;
}

enum tally_result tally_hit(struct tally *t, uint32_t worker, struct slice name, uint64_t n)
{
    return hit(t, worker, name, n, false);
}

enum tally_result tally_hit_known(struct tally *t, uint32_t worker, struct slice name, uint64_t n)
{
    PROBE(hit, worker, name.at, name.bytes,
          n); /* every hit comes here first, where its words are in registers anyway */
    return hit(t, worker, name, n, true);
}

bool tally_is_full(const struct tally *t) { return places_are_full(t->places); }

struct tally_mark tally_mark(const struct tally *t, uint32_t worker, struct slice name)
{
    const struct shard *s = t->shards[worker];
    uint32_t cell = shard_find(s, name, shard_hash(s, name));

    return (struct tally_mark){worker, cell, cell == SHARD_CELL_NONE ? 0 : shard_count(s, cell)};
}

/* What a cell adds to a value: its count, which the base of its entry covers, or what of it is not stored. The baseline
 * comes first: it grows, and never past the count. */
static uint64_t cell_adds(const struct tally *t, uint32_t shard, uint32_t cell, bool has_base)
{
    bool covered = has_base && totals_covers(t->totals, shard, cell);
    uint64_t baseline = covered ? 0 : shard_baseline(t->shards[shard], cell);

    fence_loads();
    return shard_count(t->shards[shard], cell) - baseline;
}

/* Modulo 2^64, as `base` is. */
static uint64_t cells_add(const struct tally *t, struct slice name, uint64_t hash, bool has_base, bool *counted)
{
    uint64_t sum = 0;

    *counted = false;
    for (uint32_t i = 0; i < t->workers; i++) {
        uint32_t cell = shard_find(t->shards[i], name, hash);
        if (cell != SHARD_CELL_NONE) {
            sum += cell_adds(t, i, cell, has_base);
            *counted = true;
        }
    }
    return sum;
}

/* Returns whether what was read belongs together. A name without an entry has no pair: nothing of it is stored. That
 * must still be so when its cells were read, as the flusher may meet it, and store all of it, in between. */
static bool read_once(const struct tally *t, struct slice name, uint64_t hash, struct total *total,
                      struct tally_value *out)
{
    uint32_t entry = totals_find(t->totals, name, hash);
    bool has_base = entry != TOTALS_NONE;
    unsigned sequence = 0;

    *total = (struct total){0};
    if (has_base)
        sequence = totals_read_begin(t->totals, entry, total); /* the order that the argument below needs */
    out->pending = cells_add(t, name, hash, has_base, &out->counted) - total->base;
    if (has_base)
        return totals_read_ended(t->totals, entry, sequence);
    fence_loads(); /* an entry comes before any baseline moves; partner: the fence of cell_set() in totals.c */
    return !out->counted || totals_find(t->totals, name, hash) == TOTALS_NONE;
}

/* Never negative pending: the flusher has seen the counts that make up `base` before it published it, so whoever
 * read that base sees the same counts or later ones, if it reads them after the pair.
 * No delta twice: what `stored` contains of ours is `base`, from one pair, and is taken off the sum.
 * Never backwards: `stored - base` is what others have added to the store, and it grows from pair to pair; the
 * counts grow too; a reader sees pairs and counts in their order. So the sum of both grows. Which cells the base covers
 * changes with the pair, and a cell that is not covered may lose its name when it adds nothing.
 * (A store that forgets, or from which others subtract, does go backwards, and then so does the value.) */
void tally_read(const struct tally *t, struct slice name, struct tally_value *out)
{
    uint64_t hash = shard_hash(t->shards[0], name);
    struct total total;
    bool whole;

    do
        whole = read_once(t, name, hash, &total, out);
    while (!whole);
    out->stored = total.stored;
    out->as_of_ms = total.as_of_ms;
    out->known = total.as_of_ms != 0;
    if (__builtin_add_overflow(total.stored, out->pending, &out->value))
        out->value = INT64_MAX;
}
