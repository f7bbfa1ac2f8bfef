#pragma once
/* Moves a whole data set (DESIGN 4.1): what is asked of it before, one pass after the other, and its end.
 *
 * Thread: the caller's.
 * A pass brings every entry of the old data set up to date in the new one. Passes may be made as often as one likes,
 * and while processes store into both. One that finds nothing to move says that the new data set has it all.
 *
 * The end: the state of every new partition says "finished", so no mover adds anything any more, whatever it has in
 * hand. Then the marks are removed, and the old counters where that is wished. It goes on where it was killed. */

#include "moving/keys_walk.h"

enum moving_begun {
    MOVING_OPEN,     /* or not begun */
    MOVING_FINISHED, /* its end has begun, at least */
};

/* Does the old data set have as many partitions as it should, and is the new one empty, or filled from here? Says how
 * many partitions it will have. */
int moving_begin(struct moving *m, enum moving_begun *begun, struct error *err);
/* `counts` of the moving says what there was and what was moved. With `sure` it begins anew until no partition has
 * changed its node meanwhile. */
int moving_pass(struct moving *m, bool sure, struct error *err);
/* Only after a pass that found nothing, or when the end has begun. */
int moving_finish(struct moving *m, bool remove_old, struct error *err);
