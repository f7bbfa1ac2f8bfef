#pragma once
/* The arrays of a shard, cells, baselines and names, in memory or in a state file.
 *
 * Thread: the worker's. shard.c says who may touch what lies in the arrays.
 * The arrays are reserved for the largest case, so nothing moves. In memory a page exists when it is first touched. In
 * a state file it must be allocated before, in chunks, so that a full file system is an answer and not SIGBUS. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/state_disk.h"
#include "tally/state_format.h"

struct storage {
    struct cell *cells;
    uint64_t *baselines; /* by cell, sealed */
    char *names;
    uint32_t shard; /* its number */
    uint32_t cells_max, names_units_max;
    uint32_t cells_ready, names_units_ready; /* how far there is memory behind them */
    uint32_t refusals_left;                  /* so many are refused after a failure, before it is tried again */
    /* Of a state file only. In memory `disk` is NULL. */
    const struct state_disk *disk;
    uint64_t at; /* of the shard in the file */
    struct state_plan plan;
    uint64_t *live_cells; /* how many cells are whole, sealed */
    uint32_t chunk_bytes;
};

/* Makes the arrays in memory. Returns 0 or -ENOMEM. */
int storage_init(struct storage *st, uint32_t cells_max, uint64_t names_units_max);
void storage_fini(struct storage *st);
/* Sees that there is memory behind cell number `cell` and the first `names_units`. Returns false when the file system
 * is full. */
bool storage_has_room(struct storage *st, uint32_t cell, uint32_t names_units);
