#include "ledger/window_inside.h"

#include <assert.h>
#include <stdlib.h>

#define ENTRIES_MIN 64

struct window_entry *window_entry(const struct window *w, uint64_t number)
{
    return number >= w->gone && number - w->gone < w->count ? window_nth(w, (uint32_t)(number - w->gone)) : NULL;
}

/* ---- forgetting ---- */

static void forget_parts(struct window *w, struct window_entry *e)
{
    for (uint32_t i = 0; e->off && i < e->parts_count; i++)
        e->blind += e->parts[i].hits;
    w->parts -= e->parts_count;
    free(e->parts);
    e->parts = NULL;
    e->parts_count = 0;
}

static void forget_oldest(struct window *w)
{
    struct window_entry *e = window_nth(w, 0);

    forget_parts(w, e);
    free(e->sums);
    if (e->off && e->ledger.seq > w->off_seq_gone)
        w->off_seq_gone = e->ledger.seq;
    w->off -= e->off;
    if (w->at == w->gone)
        w->at = WINDOW_NONE;
    w->first = (w->first + 1) & (w->capacity - 1);
    w->gone++;
    w->count--;
    if (w->partless)
        w->partless--;
}

void window_init(struct window *w, uint64_t keep_ms, uint64_t parts_max)
{
    *w = (struct window){.at = WINDOW_NONE, .keep_ms = keep_ms, .parts_max = parts_max};
}

void window_clear(struct window *w)
{
    while (w->count)
        forget_oldest(w);
    w->at = WINDOW_NONE;
    w->off_seq_gone = 0;
    w->tips_count = 0;
}

void window_fini(struct window *w)
{
    window_clear(w);
    free(w->entries);
}

/* The oldest go one by one: what they cost was paid when they came. */
void window_expire(struct window *w, uint64_t now_ms)
{
    while (w->partless < w->count && now_ms - window_nth(w, w->partless)->stored_ms > w->keep_ms)
        forget_parts(w, window_nth(w, w->partless++));
}

/* ---- a node more ---- */

/* false: as it is, the ring cannot grow. */
static bool window_grow(struct window *w)
{
    uint32_t capacity = w->capacity ? w->capacity * 2 : ENTRIES_MIN;
    struct window_entry *entries = w->capacity < WINDOW_ENTRIES_MAX ? malloc(capacity * sizeof(entries[0])) : NULL;

    if (!entries)
        return false;
    for (uint32_t i = 0; i < w->count; i++)
        entries[i] = *window_nth(w, i);
    free(w->entries);
    w->entries = entries;
    w->capacity = capacity;
    w->first = 0;
    return true;
}

/* Of a batch that is given up no item was applied, as far as is known. */
static void fill_parts(struct window_entry *e, const struct batch *b)
{
    for (uint32_t i = 0; i < b->items_count; i++) {
        const struct batch_item *item = &b->items[i];
        for (uint32_t k = 0; (item->applied || e->open) && k < item->parts_count; k++) {
            const struct batch_part *part = &b->parts[item->parts_first + k];
            e->parts[e->parts_count++] = (struct window_part){part->cell, part->to - part->from};
        }
    }
}

static int64_t sum_by(const struct window_entry *e, const struct batch_sum *s)
{
    return e->open ? s->delta : s->change;
}

/* They are few, and kept as long as the batch is known. Without memory a total may stay wrong by what was refused. */
static void keep_sums(struct window_entry *e, const struct batch *b)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < b->sums_count; i++)
        count += sum_by(e, &b->sums[i]) != 0;
    e->sums = count ? malloc(count * sizeof(e->sums[0])) : NULL;
    for (uint32_t i = 0; e->sums && i < b->sums_count; i++) {
        const struct batch_sum *s = &b->sums[i];
        if (sum_by(e, s))
            e->sums[e->sums_count++] = (struct window_sum){s->ns, s->cell, s->hits, sum_by(e, s)};
    }
}

static void keep_parts(struct window *w, struct window_entry *e, const struct batch *b)
{
    e->blind = e->open ? b->hits : 0;
    keep_sums(e, b);
    if (w->keep_ms == 0 || b->parts_count == 0 || b->parts_count > w->parts_max)
        return;
    while (w->parts + b->parts_count > w->parts_max)
        forget_parts(w, window_nth(w, w->partless++));
    e->parts = malloc(b->parts_count * sizeof(e->parts[0]));
    if (!e->parts)
        return;
    fill_parts(e, b);
    e->blind = 0;
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
    return window_nth(w, w->count++);
}

static uint64_t window_newest(const struct window *w) { return w->gone + w->count - 1; }

static uint64_t total_of(const struct window *w, uint64_t number)
{
    const struct window_entry *e = window_entry(w, number);

    return e ? e->total : 0;
}

void window_push(struct window *w, const struct batch *b, uint64_t hits, uint64_t now_ms)
{
    uint64_t total = total_of(w, w->at) + hits;

    window_expire(w, now_ms);
    struct window_entry *e = window_append(w);
    if (!e) {
        w->at = WINDOW_NONE;
        return;
    }
    *e = (struct window_entry){.ledger = b->ledger, .parent = w->at, .hits = hits, .total = total, .stored_ms = now_ms};
    keep_parts(w, e, b);
    w->at = window_newest(w);
}

void window_shelve(struct window *w, const struct batch *b, uint64_t now_ms)
{
    uint64_t hits = b->hits + b->found;

    window_expire(w, now_ms);
    struct window_entry *e = window_append(w);
    if (!e)
        return;
    *e = (struct window_entry){.ledger = b->ledger,
                               .parent = b->parent,
                               .hits = hits,
                               .total = total_of(w, b->parent) + hits,
                               .stored_ms = now_ms,
                               .overwrites = b->overwrites,
                               .off = true,
                               .open = true};
    w->off++;
    keep_parts(w, e, b);
    window_note_tips(w);
}

void window_begin_anew(struct window *w, uint64_t now_ms)
{
    struct window_entry *e = window_append(w);

    if (e)
        *e = (struct window_entry){.parent = w->at, .stored_ms = now_ms};
    w->at = e ? window_newest(w) : WINDOW_NONE;
    window_note_tips(w);
}

void window_begin_at(struct window *w, const struct ledger *ledger, uint64_t now_ms)
{
    for (struct window_entry *e; (e = window_entry(w, w->at)); w->at = e->parent) {
        e->off = true;
        w->off++;
    }
    struct window_entry *e = window_append(w);
    if (e)
        *e = (struct window_entry){.ledger = *ledger, .parent = WINDOW_NONE, .stored_ms = now_ms, .dark = true};
    w->at = e ? window_newest(w) : WINDOW_NONE;
    window_note_tips(w);
}

/* ---- from one process to the next ---- */

static void recall(struct window *w, const struct ledger_entry *was, uint64_t parent, bool off, uint64_t now_ms)
{
    uint64_t hits = was->hits;
    struct window_entry *e = window_append(w);

    if (!e)
        return;
    *e = (struct window_entry){.ledger = was->ledger,
                               .parent = parent,
                               .hits = hits,
                               .total = total_of(w, parent) + hits,
                               .stored_ms = now_ms,
                               .blind = off ? hits : 0,
                               .dark = hits == 0, /* perhaps */
                               .off = off};
    w->off += off;
    w->partless = w->count;
}

static uint64_t find_seq(const struct window *w, uint64_t seq)
{
    for (uint64_t n = w->at; window_entry(w, n); n = window_entry(w, n)->parent) {
        if (window_entry(w, n)->ledger.seq == seq)
            return n;
    }
    return WINDOW_NONE;
}

static void note_forgotten(struct window *w, const struct ledger *of)
{
    if (of->seq > w->off_seq_gone)
        w->off_seq_gone = of->seq;
}

void window_recall(struct window *w, const struct journal_stored *stored, const struct ledger *acked, uint64_t now_ms)
{
    for (uint32_t i = 0; i < stored->count; i++) {
        recall(w, &stored->entries[i], w->at, false, now_ms);
        w->at = w->count ? window_newest(w) : WINDOW_NONE;
    }
    const struct window_entry *last = window_entry(w, w->at);
    if (acked->seq && (!last || !ledger_equals(&last->ledger, acked)))
        window_begin_at(w, acked, now_ms); /* damage took what was between */
    for (uint32_t i = stored->tips_count; i-- > 0;) {
        const struct journal_tip *tip = &stored->tips[i];
        if (window_find(w, &tip->ledger) == WINDOW_NONE)
            recall(w, &(struct ledger_entry){tip->ledger, tip->hits}, find_seq(w, tip->fork_seq), true, now_ms);
        note_forgotten(w, &tip->ledger); /* those before it are */
    }
    for (uint32_t i = 0; stored->tips_count && i < stored->count; i++)
        note_forgotten(w, &stored->entries[i].ledger); /* a move was under way, perhaps: back from further on */
    window_note_tips(w);
}

void window_recent(const struct window *w, struct journal_stored *out)
{
    uint64_t way[JOURNAL_STORED_MAX];
    uint32_t count = 0;

    for (uint64_t n = w->at; window_entry(w, n) && count < JOURNAL_STORED_MAX; n = window_entry(w, n)->parent)
        way[count++] = n;
    *out = (struct journal_stored){.count = count, .tips_count = w->tips_count};
    for (uint32_t i = 0; i < count; i++) {
        const struct window_entry *e = window_entry(w, way[count - 1 - i]);
        out->entries[i] = (struct ledger_entry){e->ledger, e->hits};
    }
    memcpy(out->tips, w->tips, w->tips_count * sizeof(w->tips[0]));
}

/* ---- ways ---- */

uint64_t window_find(const struct window *w, const struct ledger *ledger)
{
    for (uint32_t i = w->count; i-- > 0 && ledger->seq;) {
        if (ledger_equals(&window_nth(w, i)->ledger, ledger))
            return w->gone + i;
    }
    return WINDOW_NONE;
}

uint64_t window_beginning(const struct window *w)
{
    uint64_t number = w->at;

    for (const struct window_entry *e; (e = window_entry(w, number)) && e->ledger.seq; number = e->parent) {
    }
    return window_entry(w, number) ? number : WINDOW_NONE;
}

/* A node is younger than those before it, so of two numbers the larger one is not before the other. */
uint64_t window_meet(const struct window *w, uint64_t a, uint64_t b)
{
    while (a != b) {
        const struct window_entry *ea = window_entry(w, a), *eb = window_entry(w, b);
        if (!ea || !eb)
            return WINDOW_NONE;
        if (a > b)
            a = ea->parent;
        else
            b = eb->parent;
    }
    return window_entry(w, a) ? a : WINDOW_NONE;
}

bool window_is_whole(const struct window *w, uint64_t number)
{
    const struct window_entry *e = window_entry(w, number);

    while (e && e->parent != WINDOW_NONE)
        e = window_entry(w, e->parent);
    return e && e->ledger.seq == 1 && !e->dark;
}

enum window_answer window_has_seq(const struct window *w, uint64_t seq)
{
    const struct window_entry *e = window_entry(w, w->at);

    for (; e; e = window_entry(w, e->parent)) {
        if (e->ledger.seq == seq)
            return WINDOW_HAS;
        if (e->ledger.seq < seq)
            return WINDOW_HAS_NOT;
    }
    return window_is_whole(w, w->at) ? WINDOW_HAS_NOT : WINDOW_TOO_OLD;
}

/* ---- moving ---- */

void window_leave(struct window *w)
{
    struct window_entry *e = window_entry(w, w->at);

    uint64_t number = w->at;

    assert(e && !e->off);
    e->off = true;
    w->off++;
    w->at = e->parent;
    if (w->left_anew) /* another copy may have kept the ledger that was gone */
        window_note_tip(w, number);
    w->left_anew = e->ledger.seq == 0;
}

void window_enter(struct window *w, uint64_t number)
{
    struct window_entry *e = window_entry(w, number);

    assert(e && e->off);
    e->off = false;
    e->open = false;
    e->blind = 0;
    w->off--;
    w->at = number;
    w->left_anew = false;
}

void window_drop(struct window *w, struct window_entry *e)
{
    assert(e->off && e->open);
    forget_parts(w, e);
    free(e->sums);
    e->sums = NULL;
    e->sums_count = 0;
    e->ledger = (struct ledger){0};
    e->hits = e->blind = 0;
    e->open = false;
}

uint64_t window_ends_ms(const struct window *w)
{
    return w->keep_ms && w->count ? window_nth(w, w->count - 1)->stored_ms + w->keep_ms : 0;
}
