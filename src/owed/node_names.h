#pragma once
/* The nodes of the store by name, and whether each is connected, for the metrics.
 *
 * Thread: the flusher writes, any thread reads (sequence lock).
 * There are at most NODE_NAMES_MAX, because each becomes a label. Further ones are left out. */

#include <stdbool.h>
#include <stdint.h>

#include "sync/seqlock.h"

#define NODE_NAMES_MAX 32
#define NODE_NAME_WORDS 16

struct node_name {
    union {
        char name[NODE_NAME_WORDS * 8]; /* "host:port", cut when longer */
        uint64_t words[NODE_NAME_WORDS];
    };
    uint64_t connected;
};

struct node_names {
    struct seqlock lock;
    uint64_t count;
    struct node_name nodes[NODE_NAMES_MAX];
};

void node_names_write(struct node_names *r, const struct node_name nodes[], uint32_t count); /* flusher */
uint32_t node_names_read(const struct node_names *r,
                         struct node_name out[NODE_NAMES_MAX]); /* Returns their number. Any thread */
