#pragma once
/* Where a state file lives, as functions: the old one is read, a new one is made beside it and put in its place.
 * state_dir.h is the real one; a simulation brings its own, and crashes between any two calls.
 *
 * Thread: main's; allocate() any's. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/state_origin.h"

struct state_disk {
    void *ctx;
    /* How long the old file is; -ENOENT: there is none; -EISDIR and the like: what is there is no file. */
    int64_t (*old_bytes)(void *ctx);
    /* The first `bytes` of the old file into zeroed memory; holes need not be touched. 0 or -errno. */
    int (*old_read)(void *ctx, void *to, uint64_t bytes);
    /* A new file of that length, all holes, mapped shared. 0 or -errno. */
    int (*create)(void *ctx, uint64_t bytes, void **base);
    /* Of the new file, and of this process. */
    void (*origin)(void *ctx, struct state_origin *out);
    /* Is the old file, in which `origin` was found, a copy of one that another process may still use? */
    bool (*old_has_twin)(void *ctx, const struct state_origin *origin);
    /* Memory behind a part of the new file, so that touching it cannot fail later. 0, -ENOSPC, … */
    int (*allocate)(void *ctx, uint64_t at, uint64_t bytes);
    /* Keep the old file under another name as well, written to `name`. 0 or -errno. */
    int (*set_aside)(void *ctx, char *name, uint64_t name_bytes);
    /* The new file takes the place of the old one, in one step. 0 or -errno. */
    int (*commit)(void *ctx);
    /* Everything in it is on the medium when this returns. 0 or -errno. */
    int (*sync)(void *ctx);
    /* Unmaps the new file; one that was not committed disappears. */
    void (*close)(void *ctx);
};
