#pragma once
/* A worker's private counters, a cell for each name. A cell is a cumulative count of up to SEAL_MAX, never reset, not
 * even when the name is forgotten and another one gets the cell. What counts for a name is its growth.
 *
 * Thread: the worker owns it, and only the worker adds names and counts. The flusher takes the touched cells and reads
 * counts. Any thread may look a name up and read its count.
 * Memory is reserved for `cells_max` at creation and becomes resident as it is used, so nothing moves under a reader. A
 * name of 24 bytes costs 16 (cell) + 8 (baseline) + 28 (name) + 11…21 (index) + 4…8 (queue) bytes. What a forgotten
 * name leaves is used again. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/slice.h"
#include "tally/seal.h"

struct shard;
struct storage;

#define SHARD_CELL_NONE UINT32_MAX
#define SHARD_CELL_NO_SPACE (UINT32_MAX - 1)
#define SHARD_CELLS_MAX (1u << 28)
/* A cell that has counted more keeps its name for good, so that no name begins near SEAL_MAX. */
#define SHARD_COUNT_PARTS_MAX (SEAL_MAX / 2)

struct shard_config {
    uint32_t cells_max;            /* how many distinct names at most, 1…SHARD_CELLS_MAX */
    uint64_t names_bytes_max;      /* at most 16 GiB are used. 0 is enough for cells_max of the longest names */
    struct siphash_key hash_key;   /* the same for every shard of the process, random per process */
    const struct storage *storage; /* a state file's, empty, for cells_max cells. NULL takes memory of its own */
};

/* Returns how many units (NAME_UNIT) of names hold cells_max of the longest, as far as 32 bits reach. */
uint64_t shard_names_units_max(uint32_t cells_max);

/* Returns 0, -ENOMEM or -EINVAL. */
int shard_create(struct shard **out, const struct shard_config *config);
void shard_destroy(struct shard *s); /* NULL is allowed */

/* ---- worker ---- */
/* Makes a cell for a name that is not there yet. `placed` notes that a place was taken for it (tally/places.h), before
 * anybody can find the cell. Returns SHARD_CELL_NONE when the shard is full, SHARD_CELL_NO_SPACE when the file system
 * of its storage is. */
uint32_t shard_intern(struct shard *s, struct slice name, uint64_t hash, bool placed);
/* Adds `n`, and hands the cell to the flusher unless it is on its way already. Returns false, and adds nothing, when
 * the sum would pass SEAL_MAX. */
bool shard_add(struct shard *s, uint32_t cell, uint64_t n);

/* Takes a name away. It is not found any more, and its next hit makes another cell. Returns false, and does nothing,
 * when not all of the count is in the baseline, when that is too much, when the cell is on its way to the flusher, or
 * when the index is growing just now. */
bool shard_unlink(struct shard *s, uint32_t cell);
/* Lets an unlinked cell and the room of its name be used again. Nobody may know it any more. */
void shard_vacate(struct shard *s, uint32_t cell);

/* ---- flusher ---- */
/* Takes the next touched cell. Its next hit is reported again. Returns false when there is none.
 * Take all that are wanted, then call barrier_heavy(), and only then read their counts. When barrier_heavy() returns
 * false, read the same cells' counts again one flush later. */
bool shard_take_touched(struct shard *s, uint32_t *cell);
/* Returns how much of the count is in the store or on its way there. All of it, for a cell that is new or vacant. */
uint64_t shard_baseline(const struct shard *s, uint32_t cell); /* any thread may read it */
bool shard_is_placed(const struct shard *s, uint32_t cell);
void shard_set_baseline(struct shard *s, uint32_t cell, uint64_t to);

/* ---- any thread ---- */
uint64_t shard_hash(const struct shard *s, struct slice name);
/* Returns the cell of `name`, or SHARD_CELL_NONE. */
uint32_t shard_find(const struct shard *s, struct slice name, uint64_t hash);
uint32_t shard_cells(const struct shard *s); /* cells 0…n-1 exist and their names are whole */
uint64_t shard_count(const struct shard *s, uint32_t cell);
/* Returns what was counted of the name that the cell has now, as far as the cell knows. When it had another name
 * before, that is what is not stored. */
uint64_t shard_growth(const struct shard *s, uint32_t cell);
uint64_t shard_sum(const struct shard *s);                     /* of all that was added */
struct slice shard_name(const struct shard *s, uint32_t cell); /* of 0 bytes when the cell is vacant */
