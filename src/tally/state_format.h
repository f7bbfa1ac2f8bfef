#pragma once
/* What a state file looks like (DESIGN 4.4). It is little-endian, as all machines are that this is built for. Another
 * order shows as a damaged header.
 *
 *   header    STATE_PAGE bytes with the same struct state_header twice, so that one damaged byte leaves a whole one
 *   live      STATE_LINE bytes a word, the mark of an orderly end, then for each shard how many cells are whole
 *   journals  one a partition, in the form of ledger/journal.h
 *   for each shard: cells · baselines · names       sparse, allocated as they are used
 *
 * Thread: pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "tally/state_origin.h"

#define STATE_MAGIC "tallyd!"
#define STATE_FORMAT 5
#define STATE_PAGE 4096u
#define STATE_LINE 64u
#define STATE_BOOT_ID_BYTES 40
#define STATE_WORKERS_MAX 4096u
#define STATE_PARTITIONS_MAX 16384u

/* What a run chose. All else follows from it. */
struct state_geometry {
    uint32_t workers, partitions;
    uint32_t cells_max; /* of each shard */
    uint32_t names_units_max;
    uint32_t journal_bytes; /* of each partition */
    uint32_t embedded;      /* 1 when the process is its own store, so that all of a count is the data */
    uint32_t keys_sum;      /* of what decides how a name becomes a key of the store, and where its ledger is */
};

struct state_header {
    char magic[8];
    uint32_t format;
    struct state_geometry geometry;
    char boot_id[STATE_BOOT_ID_BYTES];
    struct state_origin origin;
    uint32_t sum; /* crc32c of all before */
};

/* A counter, in memory as in the file. When its name is forgotten, the cell is used again for another one. Its count
 * and its baseline go on from where they were, so only their difference says anything of one name. */
struct cell {
    uint64_t count;   /* sealed. The worker writes, any thread reads */
    uint32_t name_at; /* in units. Constant once the cell is published, as is name_bytes. Both are 0 in a vacant cell */
    uint16_t name_bytes;
    uint8_t queued; /* worker sets, flusher clears */
    uint8_t flags;  /* CELL_…. The worker's */
};
_Static_assert(sizeof(struct cell) == 16, "four cells a cache line");

#define CELL_PLACED 1u /* a place was taken for its name (tally/places.h) */
#define CELL_REUSED 2u /* it had another name before, so its count is not of one name */

/* All of a cell but its count. One store gives it a name, or takes it away, so a killed process leaves the old or the
 * new one. */
static inline uint64_t *cell_name_word(struct cell *c) { return (uint64_t *)(void *)&c->name_at; }
_Static_assert(offsetof(struct cell, name_at) == 8, "a word of its own");

/* A name lies at `name_at` in its shard's names behind four bytes of check. */
#define NAME_UNIT 4u
static inline uint32_t state_name_units(uint32_t name_bytes) { return 1 + (name_bytes + NAME_UNIT - 1) / NAME_UNIT; }
/* Returns the check of the name and of where it belongs. */
uint32_t state_name_sum(uint32_t shard, uint32_t cell, const struct cell *c, const char *name);

/* Where things are, in bytes from the start. */
struct state_plan {
    uint64_t live, journals, shards, bytes;
    uint64_t baselines, names, shard_bytes; /* within a shard, whose cells are at 0 */
};

/* Returns false for a geometry that is never written. */
bool state_plan_make(const struct state_geometry *g, struct state_plan *out);
static inline uint64_t state_live_at(const struct state_plan *p, uint32_t word)
{
    return p->live + (uint64_t)word * STATE_LINE;
}
static inline uint64_t state_shard_at(const struct state_plan *p, uint32_t shard)
{
    return p->shards + shard * p->shard_bytes;
}

void state_header_make(struct state_header *h, const struct state_geometry *g, const char *boot_id,
                       const struct state_origin *origin);
enum state_header_verdict {
    STATE_HEADER_WHOLE,
    STATE_HEADER_NOT_OURS,
    STATE_HEADER_OTHER_FORMAT,
    STATE_HEADER_DAMAGED
};
enum state_header_verdict state_header_check(const struct state_header *h);
