#pragma once
/* What window.c and window_tips.c share.
 *
 * Thread: the flusher's. */

#include "ledger/window.h"

/* From the oldest. */
static inline struct window_entry *window_nth(const struct window *w, uint32_t i)
{
    return &w->entries[(w->first + i) & (w->capacity - 1)];
}

/* A branch ends at `number`, which was left just now or lies on the way of a move. */
void window_note_tip(struct window *w, uint64_t number);
