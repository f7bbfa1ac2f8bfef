#pragma once
/* All keys of a data set, page by page: SCAN on each node that has a partition of it.
 *
 * Thread: the caller's.
 * Each key that is there all the time is shown at least once, as long as no partition moves to another node. Who must
 * be sure of that compares moving_layout() of before and after.
 *
 * Failure modes: what an answer to SCAN lacks, or a page's user returns, ends the walk. It begins anew then. */

#include "moving/settle.h"

struct walk {
    struct moving *moving;
    const struct keyspace *space;
    struct slice behind; /* what stands behind prefix and tag, or nothing */
    void *ctx;
    /* Is that key one that is looked for? Then `e` says which. */
    bool (*takes)(void *ctx, struct slice key, struct entry *e);
    /* Handles a page. Returns 0, or -errno with a sentence. */
    int (*page)(void *ctx, struct page *p, struct error *err);
};

int keys_walk(const struct walk *w, struct error *err);

/* Who has which partition of the old data set. Equal ones, before and after a walk, say that none moved: a slot that is
 * on its way refuses a key that it does not have. Returns 0, or -errno with a sentence. */
int moving_layout(struct moving *m, uint32_t owners[PARTITIONS_MAX], struct error *err);
