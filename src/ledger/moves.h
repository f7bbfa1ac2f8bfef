#pragma once
/* From one node of the history to another, because another copy of the store answers (DESIGN 4.2, "history is a tree").
 *
 * Thread: the flusher's. Nothing of the partition may be under way.
 * Happy path: move_plan(), move_take_back(), a word in the log, move_finish(). On the way back along one branch each
 * batch's hits become pending again. On the way forward along the other they count as stored without being sent. A step
 * is one batch. It is in the journal before its baselines move, and the books and the ledger follow it. So a process
 * may be killed between any two stores, and the next one goes on from a node.
 *
 * Failure modes:
 *   - The cells of a batch that is left are not known any more: its hits stay in the baselines and are lost.
 *   - The cells of one that is entered are not known, and its hits were made pending when it was left: all that the
 *     partition has pending is given up, because it may be in the store.
 *   - Both happen, one after the other: what is entered cannot be more than what was counted, and that much was not
 *     lost.
 *   - There is no memory for a step: -ENOMEM, and the move ends at the node that it has come to. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/history.h"

struct move {
    struct history *history;
    struct ledger goal;
    uint64_t from, to, meet; /* numbers of the window */
    uint64_t replayed;       /* hits that become pending again */
    uint64_t lost;           /* hits of batches that are left, and that do not */
    uint64_t found;          /* hits of batches that are entered */
    uint64_t batches;        /* that are left and known */
    bool blind;              /* the second failure mode */
};

/* Plans the way to the node `to`, which is the ledger `goal`. WINDOW_NONE is before all that the window knows. Returns
 * false when no way is known. */
bool move_plan(struct move *m, struct history *history, uint64_t to, const struct ledger *goal);
/* Goes the way back, as far as the cells are known. Returns 0 or -ENOMEM. */
int move_take_back(struct move *m);
/* Goes the rest of the way. Returns 0 or -ENOMEM. */
int move_finish(struct move *m);
/* Goes on from a store that shows `ledger`, of which nobody knows what else it has. Nothing that it may have is sent.
 */
void move_into_the_dark(struct history *history, const struct ledger *ledger);
