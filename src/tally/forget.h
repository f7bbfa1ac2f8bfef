#pragma once
/* How the flusher and a worker take names out of a shard together, while the worker goes on counting.
 *
 * Thread: the flusher asks. The worker answers between two requests.
 * Happy path, of a round:
 *   FORGET_UNLINK  names cells all of whose hits are stored. The worker takes the names away of those that were not hit
 *                  since. A hit comes before, and then the cell stays, or after, and then it makes a new cell.
 *   FORGET_PASS    goes to every reader. Whoever answers reads none of what was unlinked any more. Then the flusher
 *                  drops what it knows of those cells.
 *   FORGET_VACATE  lets the worker use them again. Each step waits for the one before. A
 * worker that does not run holds the round up, and nothing else. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/places.h"
#include "tally/shard.h"

/* So many cells a step. A hit may meet that pause, which is some 50 µs with four cache misses each. */
#define FORGET_CELLS_MAX 128

enum forget_step { FORGET_UNLINK, FORGET_PASS, FORGET_VACATE };

struct forget_desk {
    /* the flusher writes, before `asked` */
    uint32_t asked __attribute__((aligned(64))); /* the number of the question */
    enum forget_step step;
    uint32_t count;
    uint32_t cells[FORGET_CELLS_MAX];

    /* the worker writes, before `answered` */
    uint32_t answered __attribute__((aligned(64)));
    bool unlinked[FORGET_CELLS_MAX]; /* of the last FORGET_UNLINK */
};

/* ---- flusher ---- */
/* Only when the last one is answered. Of FORGET_UNLINK, `cells` and `count` are written before. Wake the worker then.
 */
void forget_ask(struct forget_desk *d, enum forget_step step);
bool forget_is_answered(const struct forget_desk *d);

/* ---- worker ---- */
/* Does what it is asked for, if anything. Not while it reads counters. The place that was taken for a cell goes with
 * its name at once, so that the name finds room when it comes back. */
void forget_answer(struct forget_desk *d, struct shard *s, struct places *p);
