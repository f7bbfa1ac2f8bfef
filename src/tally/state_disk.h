#pragma once
/* Where a state file lives, as functions. The old file is read, and a new one is made beside it and put in its place.
 * state_dir.h is the real one. A simulation brings its own, and crashes between any two calls.
 *
 * Thread: main's, but any thread may call allocate().
 * Errors: a function that returns int gives 0 or -errno. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/state_origin.h"

struct state_disk {
    void *ctx;
    /* Returns how long the old file is, -ENOENT when there is none, or -EISDIR and the like when it is no file. */
    int64_t (*old_bytes)(void *ctx);
    /* Reads the first `bytes` of the old file into zeroed memory. Holes need not be touched. */
    int (*old_read)(void *ctx, void *to, uint64_t bytes);
    /* Makes a new file of that length, all holes, and maps it shared. */
    int (*create)(void *ctx, uint64_t bytes, void **base);
    /* Says where the new file lies, and who this process is. */
    void (*origin)(void *ctx, struct state_origin *out);
    /* Tells whether the old file, in which `origin` was found, is a copy of one that another process may still use. */
    bool (*old_has_twin)(void *ctx, const struct state_origin *origin);
    /* Puts memory behind a part of the new file, so that touching it cannot fail later. -ENOSPC when there is none. */
    int (*allocate)(void *ctx, uint64_t at, uint64_t bytes);
    /* Keeps the old file under another name as well, and writes that to `name`. */
    int (*set_aside)(void *ctx, char *name, uint64_t name_bytes);
    /* Puts the new file in the place of the old one, in one step. */
    int (*commit)(void *ctx);
    /* Brings everything in it to the medium before it returns. */
    int (*sync)(void *ctx);
    /* Unmaps the new file. One that was not committed disappears. */
    void (*close)(void *ctx);
};
