#include "moving/settle.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "nodes/key_value.h"
#include "protocol/command.h"

#define GROUP_MAX 2000 /* entries in a transaction */
#define ROUNDS_MAX 100 /* that another mover came first */
#define PAUSE_NS 200000000
#define TELL_MS 5000

/* Entries of one new partition. */
struct group {
    struct moving *m;
    const struct page *page;
    struct item *items;
    uint32_t count;
    uint32_t order[GROUP_MAX]; /* who is asked for, or moved, of them */
    uint32_t asked;
    bool changed; /* EXEC did nothing, because somebody else was first */
    int failed;
    struct error *err;
};

static const struct item *asked_item(const struct group *g, uint32_t i) { return &g->items[g->order[i]]; }

/* ---- composing ---- */

/* A command of one key, made by `append`, and what may follow it. */
static void compose(struct moving *m, struct slice command, size_t rest_count, const struct slice rest[])
{
    struct slice args[4] = {command, buf_slice(&m->scratch)};

    assert(rest_count <= 2);
    for (size_t i = 0; i < rest_count; i++)
        args[2 + i] = rest[i];
    command_append(&m->out, 2 + rest_count, args);
    m->out.failed |= m->scratch.failed;
    buf_clear(&m->scratch);
}

static void compose_look(struct moving *m)
{
    compose(m, SLICE("GETRANGE"), 2, (struct slice[]){SLICE("0"), SLICE("20")});
}

static void compose_state(struct moving *m, struct slice command, uint32_t partition)
{
    entry_append_state(&m->scratch, &m->to, partition);
    compose(m, command, 0, NULL);
}

static struct slice digits_of(int64_t value, char out[24])
{
    return (struct slice){out, (size_t)snprintf(out, 24, "%lld", (long long)value)};
}

/* ---- what is counted ---- */

static void rest(struct group *g, struct item *item, uint64_t *count)
{
    struct moving_counts *counts = &g->m->counts;
    struct entry e = page_entry(g->page, item);

    item->rests = true;
    if (!counts->refused && !counts->less)
        snprintf(counts->first, sizeof(counts->first), "%.*s", (int)e.text.bytes, e.text.at);
    ++*count;
}

static void group_count(const struct group *g)
{
    struct moving_counts *counts = &g->m->counts;

    for (uint32_t i = 0; i < g->count; i++) {
        if (g->items[i].total)
            continue;
        counts->counters++;
        counts->hits += (uint64_t)g->items[i].value;
    }
    for (uint32_t i = 0; i < g->asked; i++) {
        const struct item *item = asked_item(g, i);
        counts->moved++;
        if (item->total)
            continue;
        uint64_t hits = (uint64_t)item->value - (uint64_t)item->moved;
        counts->moved_hits += hits;
        g->m->moved_hits += hits;
    }
}

/* ---- the steps ---- */

static void on_arm(void *ctx, const struct reply *reply, uint32_t index)
{
    struct group *g = ctx;

    if (index == 0)
        return;
    if (index == 1) {
        if (reply->type == REPLY_STRING && !slice_equals(reply->text, slice_of(g->m->open)))
            g->failed =
                error_set(g->err, -EEXIST, "the new data set says '%.*s'", (int)reply->text.bytes, reply->text.at);
        return;
    }
    struct item *item = &g->items[index - 2];
    item->moved = 0;
    item->marked = reply->type != REPLY_NIL;
    if (item->marked && key_value_read(reply, &item->moved) != KEY_VALUE_INTEGER)
        g->failed = error_set(g->err, -EINVAL, "a mark of the new data set holds no number");
}

static int group_arm(struct group *g, uint32_t node)
{
    struct moving *m = g->m;

    compose_state(m, SLICE("WATCH"), g->items->to);
    compose_state(m, SLICE("GET"), g->items->to);
    for (uint32_t i = 0; i < g->count; i++) {
        struct entry e = page_entry(g->page, &g->items[i]);
        entry_append_mark(&m->scratch, &m->to, &e);
        compose(m, SLICE("GET"), 0, NULL);
    }
    int failed = calls_ask(m->calls, node, &m->out, g->count + 2, on_arm, g, g->err);
    return failed ? failed : g->failed;
}

static void on_old(void *ctx, const struct reply *reply, uint32_t index)
{
    struct group *g = ctx;
    struct item *item = &g->items[g->order[index]];

    switch (key_value_read(reply, &item->value)) {
    case KEY_VALUE_INTEGER:
        if (item->value < item->moved)
            rest(g, item, &g->m->counts.less);
        return;
    case KEY_VALUE_NONE: item->rests = true; return; /* it is gone since */
    default: rest(g, item, &g->m->counts.refused);
    }
}

/* Of those entries whose old key is on that node. */
static int group_read_old(struct group *g, uint32_t node)
{
    struct moving *m = g->m;

    g->asked = 0;
    buf_clear(&m->out);
    for (uint32_t i = 0; i < g->count; i++) {
        if (calls_owner(m->calls, keyspace_slot(&m->from, g->items[i].from)) != node)
            continue;
        struct entry e = page_entry(g->page, &g->items[i]);
        g->order[g->asked++] = i;
        entry_append_old(&m->scratch, &m->from, &e);
        compose_look(m);
    }
    return g->asked ? calls_ask(m->calls, node, &m->out, g->asked, on_old, g, g->err) : 0;
}

static int group_read_all_old(struct group *g)
{
    uint32_t read = 0;
    int failed = 0;

    for (uint32_t node = 0; !failed && node < calls_nodes(g->m->calls); node++) {
        failed = group_read_old(g, node);
        read += g->asked;
    }
    if (!failed && read < g->count)
        failed = error_set(g->err, -EAGAIN, "a slot of the old data set is served by nobody");
    return failed;
}

static void on_begin(void *ctx, const struct reply *reply, uint32_t index)
{
    struct group *g = ctx;
    int64_t sum;

    if (index == g->asked)
        return; /* MULTI, which was not refused */
    struct item *item = &g->items[g->order[index]];
    enum key_value held = key_value_read(reply, &item->target);
    if ((held != KEY_VALUE_INTEGER && held != KEY_VALUE_NONE) ||
        __builtin_add_overflow(item->target, item->value - item->moved, &sum))
        rest(g, item, &g->m->counts.refused);
}

static int group_begin(struct group *g, uint32_t node)
{
    struct moving *m = g->m;

    buf_clear(&m->out);
    for (uint32_t i = 0; i < g->asked; i++) {
        struct entry e = page_entry(g->page, asked_item(g, i));
        entry_append_new(&m->scratch, &m->to, &e);
        compose_look(m);
    }
    command_append(&m->out, 1, (struct slice[]){SLICE("MULTI")});
    return calls_ask(m->calls, node, &m->out, g->asked + 1, on_begin, g, g->err);
}

static void on_move(void *ctx, const struct reply *reply, uint32_t index)
{
    struct group *g = ctx;
    uint32_t last = 2 * g->asked + 1;

    if (index < last)
        return; /* QUEUED */
    g->changed = reply->type == REPLY_NIL;
    for (uint32_t i = 0; i < g->asked && reply->type == REPLY_ARRAY && 2 * i < reply->items_count; i++) {
        const struct item *item = asked_item(g, i);
        struct entry e = page_entry(g->page, item);
        if (reply->items[2 * i].type != REPLY_INTEGER) /* it was an integer a moment ago */
            g->failed = error_set(g->err, -EIO, "'%.*s' is refused by the new data set, and lacks %lld hits there",
                                  (int)e.text.bytes, e.text.at, (long long)(item->value - item->moved));
    }
}

static int group_move(struct group *g, uint32_t node)
{
    struct moving *m = g->m;
    char digits[24];

    buf_clear(&m->out);
    for (uint32_t i = 0; i < g->asked; i++) {
        const struct item *item = asked_item(g, i);
        struct entry e = page_entry(g->page, item);
        struct slice delta = digits_of(item->value - item->moved, digits);
        entry_append_new(&m->scratch, &m->to, &e);
        compose(m, SLICE("INCRBY"), 1, &delta);
        struct slice value = digits_of(item->value, digits);
        entry_append_mark(&m->scratch, &m->to, &e);
        compose(m, SLICE("SET"), 1, &value);
    }
    entry_append_state(&m->scratch, &m->to, g->items->to);
    compose(m, SLICE("SET"), 1, (struct slice[]){slice_of(m->open)});
    command_append(&m->out, 1, (struct slice[]){SLICE("EXEC")});
    int failed = calls_ask(m->calls, node, &m->out, 2 * g->asked + 2, on_move, g, g->err);
    return failed ? failed : g->failed;
}

/* Those that are to be moved. */
static void group_choose(struct group *g)
{
    g->asked = 0;
    for (uint32_t i = 0; i < g->count; i++)
        if (!g->items[i].rests && (g->items[i].value > g->items[i].moved || !g->items[i].marked))
            g->order[g->asked++] = i;
}

static void group_start(struct group *g)
{
    g->failed = 0;
    g->changed = false;
    buf_clear(&g->m->out);
    buf_clear(&g->m->scratch);
    for (uint32_t i = 0; i < g->count; i++)
        g->items[i].rests = false;
}

/* One attempt. */
static int group_try(struct group *g)
{
    const struct moving_counts before = g->m->counts;
    uint32_t node = calls_owner(g->m->calls, keyspace_slot(&g->m->to, g->items->to));

    group_start(g);
    int failed = node == CALLS_NOBODY ? error_set(g->err, -EAGAIN, "a slot of the new data set is served by nobody")
                                      : group_arm(g, node);
    if (!failed)
        failed = group_read_all_old(g);
    group_choose(g);
    if (!failed && g->asked > 0) {
        failed = group_begin(g, node);
        group_choose(g);
        if (!failed) /* also when none is left, since MULTI is open */
            failed = group_move(g, node);
    }
    if (failed || g->changed)
        g->m->counts = before;
    return failed;
}

static int group_settle(struct group *g)
{
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        int failed = group_try(g);
        if (failed)
            failed = moving_retry(g->m, failed, g->err);
        else if (!g->changed)
            return group_count(g), moving_progressed(g->m), 0;
        if (failed)
            return failed;
    }
    return error_set(g->err, -EBUSY, "another process moves the same data set");
}

int moving_settle(struct moving *m, struct page *p, struct error *err)
{
    struct group g = {.m = m, .page = p, .err = err};
    int failed = 0;

    page_sort(p, true);
    for (uint32_t first = 0; !failed && first < p->count; first += g.count) {
        g.items = &p->items[first];
        for (g.count = 1; g.count < GROUP_MAX && first + g.count < p->count; g.count++)
            if (g.items[g.count].to != g.items->to)
                break;
        failed = group_settle(&g);
    }
    return failed;
}

/* ---- patience ---- */

void moving_progressed(struct moving *m) { m->progressed_ms = clock_mono_ms(); }

int moving_retry(struct moving *m, int failed, struct error *err)
{
    struct error map;
    uint64_t now = clock_mono_ms();

    if (failed != -EAGAIN)
        return failed;
    if (now - m->progressed_ms > MOVING_PATIENCE_MS)
        return -ETIMEDOUT;
    if (!m->told_ms || now - m->told_ms > TELL_MS) {
        fprintf(stderr, "tallyd: %s; trying again\n", err->text);
        m->told_ms = now;
    }
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    failed = calls_map(m->calls, &map);
    if (failed == -EPERM)
        *err = map;
    return failed == -EPERM ? failed : 0;
}

/* ---- life ---- */

void moving_init(struct moving *m, struct calls *calls, const char *from, const char *to, uint32_t partitions_from,
                 uint32_t partitions_to)
{
    *m = (struct moving){.calls = calls};
    keyspace_init(&m->from, from, partitions_from);
    keyspace_init(&m->to, to, partitions_to);
    snprintf(m->open, sizeof(m->open), "tallyd move=open partitions=%u from=%s", m->from.partitions, from);
    snprintf(m->finished, sizeof(m->finished), "tallyd move=finished partitions=%u from=%s", m->from.partitions, from);
    moving_progressed(m);
}

void moving_fini(struct moving *m)
{
    buf_fini(&m->out);
    buf_fini(&m->scratch);
}
