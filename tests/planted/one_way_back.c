/* Planted: from one copy of the store to another only back, never forward: what that copy has is stored once more. */
#include "ledger/moves.h"

int __wrap_move_finish(struct move *m);

int __wrap_move_finish(struct move *m)
{
    history_start_over(m->history, &m->goal);
    return 0;
}
