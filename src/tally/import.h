#pragma once
/* From an old state file into the tally of this run: each name with hits that are not stored gets one cell.
 *
 * Thread: main's, before the workers start.
 * The run may have other workers and limits than the one before; names that are fully stored are not carried on, so
 * that they cost no memory. */

#include "tally/state_old.h"
#include "tally/tally.h"

struct import {
    uint64_t names, hits;               /* taken over */
    uint64_t damaged;                   /* cells that could not be read, or whose name could not: left out */
    uint64_t condemned, condemned_hits; /* names left out because their hits may be stored already */
};

/* Must the hits of this name not be sent again? */
typedef bool (*import_condemns)(void *ctx, struct slice name);

/* How many names there may be to take over. `embedded`: this run is its own store, and all of a count is taken. */
uint32_t import_names(const struct state_old *old, bool embedded);
/* `condemns` may be NULL. 0, or -ENOSPC: the new state file has no room. `out` may be used then, too. */
int import_run(struct tally *t, const struct state_old *old, bool embedded, import_condemns condemns, void *ctx,
               struct import *out);
