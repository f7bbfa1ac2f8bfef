#pragma once
/* "Which keys of this namespace are the highest?" (tally/tops.h)
 *
 * Thread: the flusher's.
 * First the store is asked for its set in each partition. Of all of them the highest are chosen, some more than are
 * wanted, and then the store is asked for their counters as for those of any name. So each number that is shown is a
 * counter's, whatever the sets say. Without a store one walk over all keys answers. */

#include "nodes/read_queue.h"
#include "owed/keys.h"
#include "owed/question.h"
#include "owed/scan.h"

struct top_asks {
    struct keys *keys;
    struct read_queue *reads; /* NULL without a store */
};

/* question->kind is ASK_TOP. Returns whether the store must be asked. Else it is answered. */
bool top_asks_begin(const struct top_asks *t, struct question *question);
/* The names of `question` are answered. Returns whether it is. Else the store was asked once more. */
bool top_asks_end(const struct top_asks *t, struct question *question);
