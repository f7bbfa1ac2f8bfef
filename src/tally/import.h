#pragma once
/* From an old state file into the tally of this run. Each name with hits that are not stored gets one cell.
 *
 * Thread: main's, before the workers start.
 * The run may have other workers and limits than the one before. Names that are fully stored are not carried on, so
 * they cost no memory. */

#include "tally/state_old.h"
#include "tally/tally.h"

struct import {
    uint64_t names, hits;               /* taken over */
    uint64_t damaged;                   /* cells that are left out, because they or their name could not be read */
    uint64_t condemned, condemned_hits; /* names left out because their hits may be stored already */
};

/* Tells whether the hits of this name must not be sent again. */
typedef bool (*import_condemns)(void *ctx, struct slice name);

/* Returns how many names there may be to take over. An `embedded` run is its own store, so it takes all of a count. */
uint32_t import_names(const struct state_old *old, bool embedded);
/* `condemns` may be NULL. Returns 0, or -ENOSPC when the new state file has no room. `out` is valid then, too. */
int import_run(struct tally *t, const struct state_old *old, bool embedded, import_condemns condemns, void *ctx,
               struct import *out);
