#pragma once
/* A state directory in memory, for tests: it can be damaged, be full, and be looked at after a crash. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tally/state_disk.h"

struct memory_disk {
    struct state_disk disk;
    char *old; /* malloc'ed; NULL: there is none */
    uint64_t old_bytes;
    char *new; /* mapped: sparse as a file is */
    uint64_t new_bytes;
    uint64_t allocated;
    uint64_t room; /* bytes that may be allocated; 0: no limit */
    int calls;     /* of any function */
    int fail_at;   /* the number of the call that fails with -EIO; 0: none */
    int asides, syncs, commits;
    bool twin; /* the old file is a copy, and the process with the original runs */
};

void memory_close(void *ctx);
void memory_disk_init(struct memory_disk *d);
/* The process died: what the new file holds now is what the next one finds. Before or after memory_close(). */
void memory_disk_crash(const struct memory_disk *from, struct memory_disk *to);
void memory_disk_fini(struct memory_disk *d);
