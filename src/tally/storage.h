#pragma once
/* What the cells of a shard are made of: cells, baselines and names, in memory or in a state file.
 *
 * Thread: the worker's, but for what lies in the arrays (shard.c).
 * Nothing moves: the arrays are reserved for the largest case. In memory a page exists when it is first touched; in a
 * state file it must be allocated before, in chunks, so that a full file system is an answer here and not SIGBUS. */

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
    uint32_t cells_ready, names_units_ready; /* so far there is memory behind them */
    uint32_t refusals_left;                  /* after a failure: so many are refused before it is tried again */
    /* of a state file only; `disk` NULL: memory */
    const struct state_disk *disk;
    uint64_t at; /* of the shard in the file */
    struct state_plan plan;
    uint64_t *live_cells; /* sealed: how many cells are whole */
    uint32_t chunk_bytes;
};

/* In memory. 0 or -ENOMEM. */
int storage_init(struct storage *st, uint32_t cells_max, uint64_t names_units_max);
void storage_fini(struct storage *st);
/* Is there memory behind cell number `cell` and the first `names_units`? Gets it when not. false: the file system is
 * full. */
bool storage_has_room(struct storage *st, uint32_t cell, uint32_t names_units);
