#include "flush/window.h"

#include <stdlib.h>

#define ENTRIES_MIN 64

static struct window_entry *window_at(const struct window *w, uint32_t i)
{
    return &w->entries[(w->first + i) & (w->capacity - 1)];
}

static void forget_parts(struct window *w, struct window_entry *e)
{
    w->parts -= e->parts_count;
    free(e->parts);
    e->parts = NULL;
    e->parts_count = 0;
}

static void forget_newest(struct window *w)
{
    forget_parts(w, window_at(w, w->count - 1));
    w->count--;
    if (w->partless > w->count)
        w->partless = w->count;
}

static void forget_oldest(struct window *w)
{
    forget_parts(w, window_at(w, 0));
    w->first = (w->first + 1) & (w->capacity - 1);
    w->count--;
    if (w->partless)
        w->partless--;
}

void window_init(struct window *w, uint64_t keep_ms, uint64_t parts_max)
{
    *w = (struct window){.keep_ms = keep_ms, .parts_max = parts_max};
}

void window_clear(struct window *w)
{
    while (w->count)
        forget_newest(w);
}

void window_fini(struct window *w)
{
    window_clear(w);
    free(w->entries);
}

/* The oldest go one by one: what they cost was paid when they came. */
static void window_expire(struct window *w, uint64_t now_ms)
{
    while (w->partless < w->count && now_ms - window_at(w, w->partless)->stored_ms > w->keep_ms)
        forget_parts(w, window_at(w, w->partless++));
}

/* ---- a batch was stored ---- */

/* false: as it is, the ring cannot grow. */
static bool window_grow(struct window *w)
{
    uint32_t capacity = w->capacity ? w->capacity * 2 : ENTRIES_MIN;
    struct window_entry *entries = w->capacity < WINDOW_ENTRIES_MAX ? malloc(capacity * sizeof(entries[0])) : NULL;

    if (!entries)
        return false;
    for (uint32_t i = 0; i < w->count; i++)
        entries[i] = *window_at(w, i);
    free(w->entries);
    w->entries = entries;
    w->capacity = capacity;
    w->first = 0;
    return true;
}

static void fill_parts(struct window_entry *e, const struct batch *b)
{
    for (uint32_t i = 0; i < b->items_count; i++) {
        const struct batch_item *item = &b->items[i];
        for (uint32_t k = 0; item->applied && k < item->parts_count; k++) {
            const struct batch_part *part = &b->parts[item->parts_first + k];
            e->parts[e->parts_count++] = (struct window_part){part->cell, part->to - part->from};
        }
    }
}

static void keep_parts(struct window *w, struct window_entry *e, const struct batch *b)
{
    if (w->keep_ms == 0 || b->parts_count == 0 || b->parts_count > w->parts_max)
        return;
    while (w->parts + b->parts_count > w->parts_max)
        forget_parts(w, window_at(w, w->partless++));
    e->parts = malloc(b->parts_count * sizeof(e->parts[0]));
    if (e->parts)
        fill_parts(e, b);
    w->parts += e->parts_count;
}

/* NULL: no memory at all. */
static struct window_entry *window_append(struct window *w)
{
    while (w->partless > WINDOW_PARTLESS_MAX)
        forget_oldest(w);
    if (w->count == w->capacity && !window_grow(w)) {
        if (w->capacity == 0)
            return NULL;
        forget_oldest(w);
    }
    return window_at(w, w->count++);
}

void window_push(struct window *w, const struct batch *b, uint64_t hits, uint64_t now_ms)
{
    window_expire(w, now_ms);
    struct window_entry *e = window_append(w);
    if (!e)
        return;
    *e = (struct window_entry){.ledger = b->ledger, .hits = hits, .stored_ms = now_ms};
    keep_parts(w, e, b);
}

void window_recall(struct window *w, const struct ledger_entry *entry)
{
    struct window_entry *e = window_append(w);

    if (!e)
        return;
    *e = (struct window_entry){.ledger = entry->ledger, .hits = entry->hits};
    w->partless = w->count;
}

uint32_t window_recent(const struct window *w, uint64_t seq, struct ledger_entry out[], uint32_t max)
{
    uint32_t end = w->count;

    while (end && window_at(w, end - 1)->ledger.seq > seq)
        end--;
    uint32_t count = end < max ? end : max;
    for (uint32_t i = 0; i < count; i++) {
        const struct window_entry *e = window_at(w, end - count + i);
        out[i] = (struct ledger_entry){e->ledger, e->hits};
    }
    return count;
}

/* ---- the server rolled back ---- */

enum window_answer window_knows(const struct window *w, const struct ledger *ledger)
{
    for (uint32_t i = w->count; i-- > 0;) {
        const struct window_entry *e = window_at(w, i);
        if (e->ledger.seq == ledger->seq)
            return e->ledger.nonce == ledger->nonce ? WINDOW_OURS : WINDOW_NOT_OURS;
    }
    return WINDOW_TOO_OLD;
}

uint64_t window_ends_ms(const struct window *w)
{
    return w->keep_ms && w->partless < w->count ? window_at(w, w->count - 1)->stored_ms + w->keep_ms : 0;
}

static uint64_t take_back(const struct window_entry *e, struct keys *keys)
{
    uint64_t hits = 0;

    for (uint32_t i = 0; i < e->parts_count; i++) {
        keys_take_back(keys, e->parts[i].cell, e->parts[i].hits);
        hits += e->parts[i].hits;
    }
    return hits;
}

struct window_cut window_cut(struct window *w, uint64_t seq, struct keys *keys, uint64_t now_ms)
{
    struct window_cut cut = {0};

    window_expire(w, now_ms);
    while (w->count && window_at(w, w->count - 1)->ledger.seq > seq) {
        const struct window_entry *e = window_at(w, w->count - 1);
        uint64_t hits = keys ? take_back(e, keys) : 0;
        cut.replayed += hits;
        cut.lost += e->hits - hits;
        cut.batches++;
        forget_newest(w);
    }
    return cut;
}
