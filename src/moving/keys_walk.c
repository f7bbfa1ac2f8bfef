#include "moving/keys_walk.h"

#include <errno.h>

#include "nodes/scan_names.h"
#include "protocol/command.h"

#define SCAN_COUNT "1000"
#define PAGE_KEYS 16384

struct answer {
    const struct walk *walk;
    struct page *page;
    uint64_t cursor;
    int failed;
};

static void on_keys(void *ctx, const struct reply *reply, uint32_t index)
{
    struct answer *a = ctx;
    struct entry e;
    (void)index;

    a->failed = -EAGAIN;
    if (reply->type != REPLY_ARRAY || reply->items_count != 2 || reply->items[0].type != REPLY_STRING ||
        reply->items[1].type != REPLY_ARRAY || !scan_cursor_read(reply->items[0].text, &a->cursor))
        return;
    a->failed = 0;
    for (uint32_t i = 0; !a->failed && i < reply->items[1].items_count; i++)
        if (reply->items[1].items[i].type == REPLY_STRING &&
            a->walk->takes(a->walk->ctx, reply->items[1].items[i].text, &e))
            a->failed = page_add(a->page, &e);
}

static int walk_ask(const struct walk *w, uint32_t node, struct answer *a, struct error *err)
{
    struct buf *out = &w->moving->out, *pattern = &w->moving->scratch;
    char cursor[BUF_DIGITS_MAX];
    size_t digits = (size_t)(buf_put_u64(cursor, a->cursor) - cursor);

    buf_clear(pattern);
    entry_append_pattern(pattern, w->space, w->behind);
    buf_clear(out);
    command_append(
        out, 6,
        (struct slice[]){
            SLICE("SCAN"), {cursor, digits}, SLICE("MATCH"), buf_slice(pattern), SLICE("COUNT"), SLICE(SCAN_COUNT)});
    out->failed |= pattern->failed;
    int failed = calls_ask(w->moving->calls, node, out, 1, on_keys, a, err);
    if (failed)
        return failed;
    return a->failed ? error_set(err, a->failed, "an answer to SCAN makes no sense, or there is no memory for it") : 0;
}

static int walk_node(const struct walk *w, uint32_t node, struct page *p, struct error *err)
{
    struct answer a = {.walk = w, .page = p};
    int failed = 0;

    do {
        page_clear(p);
        do
            failed = walk_ask(w, node, &a, err);
        while (!failed && a.cursor != 0 && p->count < PAGE_KEYS);
        if (!failed)
            moving_progressed(w->moving);
        if (!failed && p->count > 0)
            failed = w->page(w->ctx, p, err);
    } while (!failed && a.cursor != 0);
    return failed;
}

static bool has_a_partition(const struct walk *w, uint32_t node)
{
    for (uint32_t i = 0; i < w->space->partitions; i++)
        if (calls_owner(w->moving->calls, keyspace_slot(w->space, i)) == node)
            return true;
    return false;
}

int keys_walk(const struct walk *w, struct error *err)
{
    struct page page = {0};
    int failed = 0;

    for (uint32_t node = 0; !failed && node < calls_nodes(w->moving->calls); node++)
        if (has_a_partition(w, node))
            failed = walk_node(w, node, &page, err);
    page_fini(&page);
    return failed;
}

/* ---- who has what ---- */

static void on_probe(void *ctx, const struct reply *reply, uint32_t index) { (void)ctx, (void)reply, (void)index; }

int moving_layout(struct moving *m, uint32_t owners[PARTITIONS_MAX], struct error *err)
{
    int failed = calls_map(m->calls, err);

    for (uint32_t i = 0; !failed && i < m->from.partitions; i++) {
        owners[i] = calls_owner(m->calls, keyspace_slot(&m->from, i));
        if (owners[i] == CALLS_NOBODY)
            return error_set(err, -EAGAIN, "a slot of the old data set is served by nobody");
        buf_clear(&m->scratch);
        buf_append_slice(&m->scratch, keyspace_prefix(&m->from, i));
        buf_append_slice(&m->scratch, SLICE("!nothing"));
        buf_clear(&m->out);
        command_append(&m->out, 2, (struct slice[]){SLICE("GET"), buf_slice(&m->scratch)});
        failed = calls_ask(m->calls, owners[i], &m->out, 1, on_probe, NULL, err);
    }
    return failed;
}
