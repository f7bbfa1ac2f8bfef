#include "tally/tops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/region.h"

struct tops {
    uint32_t namespaces, partitions, kept;
    uint32_t unsure; /* keys, in all of them */
    struct top *at;  /* owned region; by namespace and partition */
    bool may_go[];   /* by partition */
};

static size_t region_bytes(const struct tops *t) { return (size_t)t->namespaces * t->partitions * sizeof(t->at[0]); }

int tops_create(struct tops **out, uint32_t namespaces, uint32_t partitions, uint32_t kept)
{
    struct tops *t = calloc(1, sizeof(*t) + partitions * sizeof(t->may_go[0]));

    if (!t)
        return -ENOMEM;
    t->namespaces = namespaces;
    t->partitions = partitions;
    t->kept = kept;
    t->at = region_reserve(region_bytes(t));
    if (!t->at) {
        free(t);
        return -ENOMEM;
    }
    *out = t;
    return 0;
}

void tops_destroy(struct tops *t)
{
    if (!t)
        return;
    region_release(t->at, region_bytes(t));
    free(t);
}

uint32_t tops_namespaces(const struct tops *t) { return t ? t->namespaces : 0; }

uint32_t tops_stored(const struct tops *t) { return 2 * t->kept; }

struct top *tops_at(const struct tops *t, uint32_t ns, uint32_t partition)
{
    return &t->at[(size_t)ns * t->partitions + partition];
}

/* ---- what is known of a key ---- */

static struct top_entry *lowest_entry(struct top *top)
{
    struct top_entry *lowest = top->entries;

    for (struct top_entry *e = top->entries; e < top->entries + top->count; e++)
        lowest = e->total < lowest->total ? e : lowest;
    return lowest;
}

int64_t top_lowest(const struct top *top)
{
    struct top *t = (struct top *)(uintptr_t)top;

    return lowest_entry(t)->total;
}

static struct top_entry *find(struct top *top, uint32_t key)
{
    for (struct top_entry *e = top->entries; e < top->entries + top->count; e++)
        if (e->key == key)
            return e;
    return NULL;
}

static uint32_t find_unsure(const struct top *top, uint32_t key)
{
    uint32_t i = 0;

    while (i < top->unsure_count && top->unsure[i] != key)
        i++;
    return i;
}

static void set_state(struct top *top, struct top_entry *e, enum top_state state)
{
    top->due += (state == TOP_DUE) - (e->state == TOP_DUE);
    e->state = state;
}

static void set_floor(const struct tops *t, struct top *top)
{
    top->floor = top->count < t->kept ? INT64_MIN : top_lowest(top);
}

/* For a key that was not in the table. */
static struct top_entry *take_entry(const struct tops *t, struct top *top, uint32_t key)
{
    struct top_entry *e = top->count < t->kept ? &top->entries[top->count++] : lowest_entry(top);

    if (e->state == TOP_DUE)
        top->due--; /* as many keys as are kept are above it now */
    *e = (struct top_entry){.key = key, .total = INT64_MIN};
    return e;
}

void top_note(const struct tops *t, struct top *top, uint32_t key, int64_t total)
{
    bool full = top->count == t->kept;

    if (full && total < top->floor)
        return;
    struct top_entry *e = find(top, key);
    if ((!e && full && total == top->floor) || (e && e->total == total))
        return;
    if (!e)
        e = take_entry(t, top, key);
    e->lower = total < e->total || (e->lower && e->state != TOP_STORED);
    e->total = total;
    set_state(top, e, TOP_DUE);
    set_floor(t, top);
}

void top_is_sure(struct tops *t, struct top *top, uint32_t key)
{
    uint32_t at = find_unsure(top, key);

    if (at == top->unsure_count)
        return;
    top->unsure[at] = top->unsure[--top->unsure_count];
    t->unsure--;
}

void top_drop(struct tops *t, struct top *top, uint32_t key)
{
    struct top_entry *e = find(top, key);

    top_is_sure(t, top, key);
    if (!e)
        return;
    set_state(top, e, TOP_STORED);
    *e = top->entries[--top->count];
    top->entries[top->count] = (struct top_entry){0};
    set_floor(t, top);
}

bool top_needs(const struct top *top, uint32_t key)
{
    const struct top_entry *e = find((struct top *)(uintptr_t)top, key);

    return (e && e->state != TOP_STORED) || find_unsure(top, key) < top->unsure_count;
}

/* ---- offers ---- */

void top_take(struct top *top)
{
    for (struct top_entry *e = top->entries; e < top->entries + top->count; e++)
        if (e->state == TOP_DUE)
            set_state(top, e, TOP_SENT);
}

void top_end(struct top *top, bool refused)
{
    for (struct top_entry *e = top->entries; e < top->entries + top->count; e++)
        if (e->state == TOP_SENT)
            set_state(top, e, refused ? TOP_DUE : TOP_STORED);
}

void top_begin_anew(struct top *top)
{
    memset(top->entries, 0, top->count * sizeof(top->entries[0]));
    top->count = 0;
    top->due = 0;
    top->floor = INT64_MIN;
}

static void doubt(struct tops *t, struct top *top)
{
    for (const struct top_entry *e = top->entries; e < top->entries + top->count; e++)
        if (top->unsure_count < TOPS_UNSURE_MAX && find_unsure(top, e->key) == top->unsure_count) {
            top->unsure[top->unsure_count++] = e->key;
            t->unsure++;
        }
    top_begin_anew(top);
}

void tops_doubt(struct tops *t, uint32_t partition)
{
    for (uint32_t ns = 0; ns < tops_namespaces(t); ns++)
        if (tops_at(t, ns, partition)->count)
            doubt(t, tops_at(t, ns, partition));
}

uint32_t tops_unsure(const struct tops *t, uint32_t max, uint32_t keys[])
{
    uint32_t count = 0;

    for (uint32_t i = 0; t && count < t->unsure && i < t->namespaces * t->partitions && count < max; i++)
        for (uint32_t k = 0; k < t->at[i].unsure_count && count < max; k++)
            keys[count++] = t->at[i].unsure[k];
    return count;
}

bool tops_are_unsure(const struct tops *t) { return t && t->unsure > 0; }

void tops_let_go(struct tops *t)
{
    for (uint32_t ns = 0; ns < tops_namespaces(t); ns++)
        for (uint32_t p = 0; p < t->partitions; p++) {
            const struct top *top = tops_at(t, ns, p);
            t->may_go[p] |= top->due && !top->rests;
        }
}

bool tops_may_go(const struct tops *t, uint32_t partition) { return t && t->may_go[partition]; }

void tops_gone(struct tops *t, uint32_t partition)
{
    if (t)
        t->may_go[partition] = false;
}

bool tops_are_due(const struct tops *t)
{
    bool due = false;

    for (uint32_t i = 0; t && !due && i < t->namespaces * t->partitions; i++)
        due = t->at[i].due && !t->at[i].rests;
    return due;
}

void tops_retry(struct tops *t)
{
    for (uint32_t i = 0; t && i < t->namespaces * t->partitions; i++)
        if (t->at[i].rests) /* else it would become resident */
            t->at[i].rests = false;
}
