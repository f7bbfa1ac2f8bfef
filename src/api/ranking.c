#include "api/ranking.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/siphash.h"
#include "forms/json.h"
#include "tally/shard.h"
#include "tally/totals.h"

#define NS_OTHERS ((struct slice){"", 0})
#define PLACES (4 * RANKING_NAMESPACES_MAX) /* of the index */

struct walk {
    struct ranking *ranking;
    struct tally *tally;
    uint8_t *seen; /* owned; a bit an entry of the totals */
    uint64_t seen_max;
    bool others;                    /* there is a sum of those without a place */
    struct ranking_namespace *last; /* neighbours are often of one namespace */
    uint16_t index[PLACES];         /* by hash of the name: its number + 1. 0: free */
};

/* ---- namespaces ---- */

static bool is_of(const struct ranking_namespace *n, struct slice ns)
{
    return slice_equals((struct slice){n->ns, n->ns_bytes}, ns);
}

/* Where it is in the index, or where it would be. There are too few to need a secret key. */
static uint16_t *place_of(struct walk *w, struct slice ns)
{
    static const struct siphash_key key = {0, 0};
    uint32_t place = (uint32_t)siphash13(&key, ns.at, ns.bytes) % PLACES;
    while (w->index[place] && !is_of(&w->ranking->namespaces[w->index[place] - 1], ns))
        place = (place + 1) % PLACES;
    return &w->index[place];
}

static struct ranking_namespace *namespace_get(struct walk *w, struct slice ns)
{
    struct ranking *r = w->ranking;
    if (w->last && is_of(w->last, ns))
        return w->last;
    uint16_t *place = place_of(w, ns);
    if (*place)
        return &r->namespaces[*place - 1];
    if (r->count - w->others >= RANKING_NAMESPACES_MAX && ns.bytes > 0)
        return namespace_get(w, NS_OTHERS);
    w->others |= ns.bytes == 0;
    *place = (uint16_t)(r->count + 1);
    struct ranking_namespace *n = &r->namespaces[r->count++];
    memcpy(n->ns, ns.at, ns.bytes);
    n->ns_bytes = (uint8_t)ns.bytes;
    n->keys = 0;
    n->value = 0;
    n->counted = 0;
    n->pages_count = 0;
    return n;
}

/* Keeps the list sorted, and the highest of a page that two workers count. */
static void page_insert(struct ranking_namespace *n, struct slice name, int64_t value)
{
    struct ranking_page *p = n->pages;
    uint32_t at = n->pages_count;
    if (at == RANKING_PAGES_MAX && p[at - 1].value >= value)
        return;
    for (uint32_t i = 0; i < n->pages_count; i++)
        if (slice_equals((struct slice){p[i].name, p[i].name_bytes}, name)) {
            if (p[i].value >= value)
                return;
            memmove(&p[i], &p[i + 1], (n->pages_count - i - 1) * sizeof(*p));
            n->pages_count--;
            break;
        }
    at = n->pages_count < RANKING_PAGES_MAX ? n->pages_count++ : RANKING_PAGES_MAX - 1;
    for (; at > 0 && p[at - 1].value < value; at--)
        p[at] = p[at - 1];
    memcpy(p[at].name, name.at, name.bytes);
    p[at].name_bytes = (uint16_t)name.bytes;
    p[at].value = value;
}

/* ---- the walk ---- */

/* Sums never wrap: a counter that was seeded high stops them at the top. */
static void add(int64_t *sum, int64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum))
        *sum = value < 0 ? INT64_MIN : INT64_MAX;
}

static bool counted_before(const struct tally *t, uint32_t shard, struct slice name)
{
    struct tally *all = (struct tally *)(uintptr_t)t;
    uint64_t hash = shard_hash(tally_shard(all, 0), name);
    for (uint32_t i = 0; i < shard; i++)
        if (shard_find(tally_shard(all, i), name, hash) != SHARD_CELL_NONE)
            return true;
    return false;
}

/* What the store holds of the cell's name, once a name; else what this worker counted of it. */
static bool cell_value(struct walk *w, uint32_t shard, uint32_t cell, struct slice name, int64_t *value, bool *first)
{
    uint32_t entry = totals_of_cell(tally_totals(w->tally), shard, cell);
    struct total total = {0};
    if (entry != TOTALS_NONE)
        totals_read(tally_totals(w->tally), entry, &total);
    if (total.as_of_ms == 0 || entry >= w->seen_max) {
        *value = (int64_t)shard_growth(tally_shard(w->tally, shard), cell);
        *first = !counted_before(w->tally, shard, name);
        return true;
    }
    if (w->seen[entry / 8] & 1u << entry % 8)
        return false;
    w->seen[entry / 8] |= (uint8_t)(1u << entry % 8);
    *value = total.stored;
    *first = true;
    return true;
}

static void cell_visit(struct walk *w, uint32_t shard, uint32_t cell)
{
    struct slice at = shard_name(tally_shard(w->tally, shard), cell);
    char copy[NAME_BYTES_MAX];
    if (at.bytes == 0 || at.bytes > sizeof(copy))
        return;
    memcpy(copy, at.at, at.bytes);
    struct slice name = {copy, at.bytes};
    const char *slash = memchr(copy, '/', at.bytes);
    if (!slash || slash == copy || slash - copy > NAME_NS_BYTES_MAX)
        return; /* it was being written over */
    int64_t value;
    bool first;
    struct ranking_namespace *n = w->last = namespace_get(w, name_ns(name));
    n->counted += shard_growth(tally_shard(w->tally, shard), cell);
    if (!cell_value(w, shard, cell, name, &value, &first))
        return;
    n->keys += first;
    add(&n->value, value);
    if (n->pages_count < RANKING_PAGES_MAX || n->pages[RANKING_PAGES_MAX - 1].value < value)
        page_insert(n, name, value);
}

/* With what is pending here, and what other workers counted. */
static void pages_finish(struct ranking_namespace *n, const struct tally *t)
{
    struct ranking_page pages[RANKING_PAGES_MAX];
    uint32_t count = n->pages_count;
    memcpy(pages, n->pages, sizeof(pages));
    n->pages_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct tally_value v;
        struct slice name = {pages[i].name, pages[i].name_bytes};
        tally_read(t, name, &v);
        page_insert(n, name, v.value);
    }
}

static int by_value(const void *a, const void *b)
{
    const struct ranking_namespace *x = a, *y = b;
    return (x->value < y->value) - (x->value > y->value);
}

void ranking_make(struct ranking *r, struct tally *t, uint64_t now_ms)
{
    if (r->made_ms != 0 && now_ms - r->made_ms < r->kept_ms)
        return;
    struct walk w = {.ranking = r, .tally = t};
    uint64_t began_ms = clock_mono_ms();
    for (uint32_t i = 0; i < tally_workers(t); i++)
        w.seen_max += shard_cells(tally_shard(t, i));
    w.seen = calloc(w.seen_max / 8 + 1, 1);
    if (!w.seen)
        return;
    r->count = 0;
    for (uint32_t i = 0; i < tally_workers(t); i++) {
        uint32_t cells = shard_cells(tally_shard(t, i));
        for (uint32_t cell = 0; cell < cells; cell++)
            cell_visit(&w, i, cell);
    }
    free(w.seen);
    for (uint32_t i = 0; i < r->count; i++)
        pages_finish(&r->namespaces[i], t);
    qsort(r->namespaces, r->count, sizeof(r->namespaces[0]), by_value);
    uint64_t took_ms = clock_mono_ms() - began_ms;
    r->made_ms = now_ms;
    r->kept_ms = took_ms * RANKING_KEPT_TIMES > RANKING_KEPT_MS ? took_ms * RANKING_KEPT_TIMES : RANKING_KEPT_MS;
}

/* ---- print ---- */

static void pages_print(const struct ranking_namespace *n, struct buf *out)
{
    for (uint32_t i = 0; i < n->pages_count; i++) {
        const struct ranking_page *p = &n->pages[i];
        buf_printf(out, "%s{\"key\":", i > 0 ? "," : "");
        json_append_string(out, name_key((struct slice){p->name, p->name_bytes}));
        buf_printf(out, ",\"value\":%" PRId64 "}", p->value);
    }
}

void ranking_namespace_print(const struct ranking_namespace *n, struct buf *out)
{
    buf_append_slice(out, SLICE("{\"ns\":"));
    if (n->ns_bytes > 0)
        json_append_string(out, (struct slice){n->ns, n->ns_bytes});
    else
        buf_append_slice(out, SLICE("null"));
    buf_printf(out, ",\"keys\":%" PRIu64 ",\"value\":%" PRId64 ",\"counted\":%" PRIu64 ",\"top\":[", n->keys, n->value,
               n->counted);
    if (n->ns_bytes > 0)
        pages_print(n, out);
    buf_append_slice(out, SLICE("]}"));
}

void ranking_print(const struct ranking *r, struct buf *out)
{
    buf_append(out, "[", 1);
    for (uint32_t i = 0; i < r->count; i++) {
        buf_append(out, ",", i > 0);
        ranking_namespace_print(&r->namespaces[i], out);
    }
    buf_append(out, "]", 1);
}
