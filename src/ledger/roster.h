#pragma once
/* The nodes of the store by name, and whether each is connected, for the metrics.
 *
 * Thread: the flusher writes, any thread reads (sequence lock).
 * At most ROSTER_NODES_MAX, as each becomes a label; further ones are left out. */

#include <stdbool.h>
#include <stdint.h>

#include "sync/seqlock.h"

#define ROSTER_NODES_MAX 32
#define ROSTER_NAME_WORDS 16

struct roster_node {
    union {
        char name[ROSTER_NAME_WORDS * 8]; /* "host:port", cut when longer */
        uint64_t words[ROSTER_NAME_WORDS];
    };
    uint64_t connected;
};

struct roster {
    struct seqlock lock;
    uint64_t count;
    struct roster_node nodes[ROSTER_NODES_MAX];
};

void roster_write(struct roster *r, const struct roster_node nodes[], uint32_t count);  /* flusher */
uint32_t roster_read(const struct roster *r, struct roster_node out[ROSTER_NODES_MAX]); /* any thread; the number */
