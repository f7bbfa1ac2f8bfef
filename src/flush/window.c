#include "flush/window.h"

static const struct window_entry *window_at(const struct window *w, uint32_t i)
{
    return &w->entries[(w->first + i) % WINDOW_ENTRIES];
}

void window_clear(struct window *w) { w->count = 0; }

void window_push(struct window *w, const struct ledger *ledger, uint64_t hits)
{
    if (w->count == WINDOW_ENTRIES) {
        w->first = (w->first + 1) % WINDOW_ENTRIES;
        w->count--;
    }
    w->entries[(w->first + w->count++) % WINDOW_ENTRIES] = (struct window_entry){*ledger, hits};
}

enum window_answer window_knows(const struct window *w, const struct ledger *ledger)
{
    for (uint32_t i = w->count; i-- > 0;) {
        const struct window_entry *e = window_at(w, i);
        if (e->ledger.seq == ledger->seq)
            return e->ledger.nonce == ledger->nonce ? WINDOW_OURS : WINDOW_NOT_OURS;
    }
    return WINDOW_TOO_OLD;
}

uint64_t window_cut(struct window *w, uint64_t seq)
{
    uint64_t hits = 0;

    while (w->count && window_at(w, w->count - 1)->ledger.seq > seq)
        hits += window_at(w, --w->count)->hits;
    return hits;
}
