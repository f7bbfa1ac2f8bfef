#pragma once
/* Brings the new data set to what the old one holds, each amount exactly once, whoever dies and whatever is lost.
 *
 * Thread: the caller's.
 * Old and new key lie in different slots, so no transaction holds both. Beside the new key lies its mark, the part of
 * the old number that is in the new one. Entries of one new partition are settled together, in four steps. Each waits
 * for the answers to the one before.
 *   - ARM sends WATCH state, GET state and GET mark for each, to the node of the new partition.
 *   - OLD sends GETRANGE old for each, to the nodes of the old ones, after the marks were read.
 *   - BEGIN sends GETRANGE new, for those whose old number is larger than the mark, and MULTI.
 *   - MOVE sends INCRBY new (old - mark) and SET mark old for each of these, then SET state and EXEC.
 *
 * Each MOVE writes the state, which each ARM watches. So of two movers, or of this one and its own bytes that come
 * late, one is refused by the server and asks for the marks again. A lost answer to EXEC is resolved in the same way,
 * as the marks say whether it was executed.
 *
 * The old number is read after its mark, so it is never less than what was moved, unless somebody set, reset or lost
 * it. Then nothing is taken back, because what looks like a reset may be a store that was emptied. It is counted as
 * `less`. An old key that is gone stays as it was moved.
 *
 * Failure modes:
 *   - -EAGAIN as in moving/calls.h: moving_retry() waits, asks for a map, and says when it is enough.
 *   - A key that holds no integer, here or there, or whose sum would overflow: it is counted as `refused`.
 *   - -EEXIST: the new data set is filled from elsewhere, or the move was finished. */

#include <stdint.h>

#include "base/error.h"
#include "moving/calls.h"
#include "moving/page.h"

#define MOVING_PATIENCE_MS 60000
#define MOVING_STATE_BYTES_MAX 192

struct moving_counts {
    uint64_t counters, hits;    /* that the old data set has */
    uint64_t moved, moved_hits; /* what was behind, counters and totals, and hits of counters */
    uint64_t refused, less, ledgers;
    char first[ENTRY_TEXT_BYTES_MAX + 1]; /* of refused and less */
};

struct moving {
    struct calls *calls; /* the caller's */
    struct keyspace from, to;
    char open[MOVING_STATE_BYTES_MAX];     /* the state of a new partition that is being filled, … */
    char finished[MOVING_STATE_BYTES_MAX]; /* … and of one that is whole */
    struct moving_counts counts;           /* of the pass under way */
    uint64_t moved_hits;                   /* by all passes, also by those that began anew */
    uint64_t progressed_ms, told_ms;
    struct buf out, scratch; /* owned */
};

/* The prefixes are the caller's. With 0 partitions it is a single server. */
void moving_init(struct moving *m, struct calls *calls, const char *from, const char *to, uint32_t partitions_from,
                 uint32_t partitions_to);
void moving_fini(struct moving *m);
/* Is the failure one of those that pass? Waits a moment, asks for a map, and returns 0. Otherwise, or after
 * MOVING_PATIENCE_MS without any progress, returns it. */
int moving_retry(struct moving *m, int failed, struct error *err);
void moving_progressed(struct moving *m);
/* Settles all entries of a page, in any order. */
int moving_settle(struct moving *m, struct page *p, struct error *err);
