#include "flush/stored_waits.h"

void stored_waits_push(struct stored_waits *w, struct read_op *op)
{
    op->next = w->first;
    w->first = op;
}

static bool is_stored(const struct stored_waits *w, const struct tally_mark *mark)
{
    return keys_have_stored(w->keys, mark->worker, mark->cell, mark->count);
}

void stored_waits_settle(struct stored_waits *w, uint64_t now_ms)
{
    for (struct read_op **at = &w->first, *op; (op = *at);) {
        op->done = is_stored(w, &op->mark);
        if (!op->done && now_ms < op->deadline_ms) {
            at = &op->next;
            continue;
        }
        *at = op->next; /* once answered it is the worker's */
        w->answered(w->answered_ctx, op);
    }
}

uint64_t stored_waits_wake_ms(const struct stored_waits *w)
{
    uint64_t wake = UINT64_MAX;

    for (const struct read_op *op = w->first; op; op = op->next)
        wake = op->deadline_ms < wake ? op->deadline_ms : wake;
    return wake;
}
