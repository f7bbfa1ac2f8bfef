#pragma once
/* The books of promise P6, in hits, which say that accepted = stored + in_flight + pending + poisoned + lost. What the
 * state file brought is accepted, too.
 *
 * Thread: any.
 * A worker adds a hit to its cell first and to hits_accepted right after. So while hits come in, the flusher can have
 * stored one that is not yet among the accepted. It counts as accepted then, because it is. Hence the equation holds in
 * every reading, and accepted never goes down. */

#include <stdint.h>

#include "admin/sources.h"

struct balance {
    uint64_t accepted, stored, in_flight, pending, poisoned, lost;
    uint64_t rolled_back; /* acknowledged and then forgotten by the store, so pending again or lost. Not in the sum */
};

void balance_read(const struct sources *s, struct balance *out);

/* Returns how many hits were accepted but are in no cell (positive), or are in a cell but were never accepted
 * (negative). It compares the sum of all cells, read one by one, with what the api answered. 0 unless something is
 * broken, also under load. */
int64_t balance_gap(const struct sources *s);

/* Makes the comparison alone. `cells` was summed between the two readings of accepted, so anything from one to the
 * other is right. */
int64_t balance_compare(uint64_t accepted_before, uint64_t cells, uint64_t accepted_after);
