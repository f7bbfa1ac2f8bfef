/* The ends of the other branches, for the next process: what other copies of the store may show. */
#include <string.h>

#include "ledger/window_inside.h"

static struct journal_tip tip_of(const struct window *w, uint64_t number)
{
    uint64_t fork = window_meet(w, number, w->at);
    const struct window_entry *e = window_entry(w, number), *f = window_entry(w, fork);

    if (e == f) /* a ledger began anew behind it: what it held is not owed to anybody */
        return (struct journal_tip){.ledger = e->ledger};
    return (struct journal_tip){e->ledger, f ? f->ledger.seq : 0, e->total - (f ? f->total : 0)};
}

void window_note_tip(struct window *w, uint64_t number)
{
    const struct window_entry *e = window_entry(w, number);
    uint32_t i = 0;

    if (!e || !e->off || e->ledger.seq == 0)
        return;
    while (i < w->tips_count && !ledger_equals(&w->tips[i].ledger, &e->ledger))
        i++;
    if (i == w->tips_count && w->tips_count < JOURNAL_TIPS_MAX)
        w->tips_count++;
    i -= i == JOURNAL_TIPS_MAX;
    memmove(&w->tips[1], &w->tips[0], i * sizeof(w->tips[0]));
    const struct window_entry *f = window_entry(w, w->at);
    w->tips[0] = (struct journal_tip){e->ledger, f ? f->ledger.seq : 0, e->total - (f ? f->total : 0)};
}

/* Marks the nodes that are no ends, and those on our way that are: a copy of the store may have kept the ledger that
 * was gone here. What is open may never have been. */
static void mark_ends(struct window *w)
{
    for (uint32_t i = 0; i < w->count; i++)
        window_nth(w, i)->behind = window_nth(w, i)->anew = false;
    for (uint32_t i = w->count; i-- > 0;) {
        const struct window_entry *e = window_nth(w, i);
        struct window_entry *parent = window_entry(w, e->parent);
        if (!parent)
            continue;
        parent->behind |= e->off && e->ledger.seq && !e->open;
        parent->anew |= !e->off && e->ledger.seq == 0;
    }
}

static bool is_end(const struct window_entry *e) { return e->ledger.seq && (e->off ? !e->behind : e->anew); }

void window_note_tips(struct window *w)
{
    w->tips_count = 0;
    mark_ends(w);
    for (uint32_t i = w->count; i-- > 0 && w->tips_count < JOURNAL_TIPS_MAX;) {
        if (is_end(window_nth(w, i)))
            w->tips[w->tips_count++] = tip_of(w, w->gone + i);
    }
}

void window_note_move(struct window *w, uint64_t from, uint64_t to)
{
    window_note_tip(w, from);
    window_note_tip(w, to);
}
