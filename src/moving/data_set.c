#include "moving/data_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/command.h"
#include "protocol/crc16.h"
#include "redis/resp.h"

#define TELL_MS 2000
#define DELETED_AT_ONCE 1000

/* What one key holds. */
struct held {
    bool there;
    char text[MOVING_STATE_BYTES_MAX];
};

static void on_held(void *ctx, const struct reply *reply, uint32_t index)
{
    struct held *h = ctx;
    (void)index;

    h->there = reply->type == REPLY_STRING;
    if (h->there)
        snprintf(h->text, sizeof(h->text), "%.*s", (int)reply->text.bytes, reply->text.at);
}

static void on_done(void *ctx, const struct reply *reply, uint32_t index) { (void)ctx, (void)reply, (void)index; }

/* `out` holds commands, the last of which is GET, all of that slot. */
static int ask_slot(struct moving *m, uint16_t slot, uint32_t replies, calls_reply_fn fn, void *ctx, struct error *err)
{
    uint32_t node = calls_owner(m->calls, slot);

    if (node == CALLS_NOBODY)
        return error_set(err, -EAGAIN, "slot %u is served by nobody", slot);
    return calls_ask(m->calls, node, &m->out, replies, fn, ctx, err);
}

/* ---- before ---- */

static int meta_check(struct moving *m, const struct keyspace *space, bool is_new, struct error *err)
{
    char key[KEYSPACE_PREFIX_BYTES_MAX + 8], value[KEYSPACE_META_BYTES_MAX];
    struct slice at = keyspace_meta_key(space, key), cut = keyspace_meta_value(space, value);
    struct held held = {0};

    if (!space->tagged)
        return 0;
    buf_clear(&m->out);
    if (is_new)
        command_append(&m->out, 4, (struct slice[]){SLICE("SET"), at, cut, SLICE("NX")});
    command_append(&m->out, 2, (struct slice[]){SLICE("GET"), at});
    int failed = ask_slot(m, key_slot(at), is_new ? 2 : 1, on_held, &held, err);
    if (failed)
        return failed;
    if (!held.there)
        return error_set(err, -EINVAL, "there is no data set with prefix '%s'", space->prefix);
    if (!slice_equals(slice_of(held.text), cut))
        return error_set(err, -EINVAL, "the data set with prefix '%s' is cut into %u partitions, not %u", space->prefix,
                         keyspace_meta_partitions(slice_of(held.text)), space->partitions);
    return 0;
}

static int state_check(struct moving *m, uint32_t partition, enum moving_begun *begun, struct error *err)
{
    struct held held = {0};

    buf_clear(&m->scratch);
    entry_append_state(&m->scratch, &m->to, partition);
    buf_clear(&m->out);
    command_append(&m->out, 2, (struct slice[]){SLICE("GET"), buf_slice(&m->scratch)});
    int failed = ask_slot(m, keyspace_slot(&m->to, partition), 1, on_held, &held, err);
    if (failed || !held.there || strcmp(held.text, m->open) == 0)
        return failed;
    if (strcmp(held.text, m->finished) != 0)
        return error_set(err, -EEXIST, "the data set with prefix '%s' is filled from elsewhere: %s", m->to.prefix,
                         held.text);
    *begun = MOVING_FINISHED;
    return 0;
}

static int begin_try(struct moving *m, enum moving_begun *begun, struct error *err)
{
    int failed = calls_map(m->calls, err);

    *begun = MOVING_OPEN;
    if (!failed)
        failed = meta_check(m, &m->from, false, err);
    if (!failed)
        failed = meta_check(m, &m->to, true, err);
    for (uint32_t i = 0; !failed && i < m->to.partitions; i++)
        failed = state_check(m, i, begun, err);
    return failed;
}

int moving_begin(struct moving *m, enum moving_begun *begun, struct error *err)
{
    int failed;

    while ((failed = begin_try(m, begun, err)) != 0)
        if ((failed = moving_retry(m, failed, err)) != 0)
            return failed;
    return 0;
}

/* ---- a pass ---- */

struct pass {
    struct moving *moving;
    uint64_t told_ms;
};

static bool pass_takes(void *ctx, struct slice key, struct entry *e)
{
    struct pass *p = ctx;
    struct moving *m = p->moving;

    switch (entry_of_key(&m->from, &m->to, key, e)) {
    case ENTRY_THERE: return true;
    case ENTRY_LEDGER: m->counts.ledgers++; return false;
    default: return false;
    }
}

static int pass_page(void *ctx, struct page *page, struct error *err)
{
    struct pass *p = ctx;
    const struct moving_counts *counts = &p->moving->counts;
    int failed = moving_settle(p->moving, page, err);
    uint64_t now = clock_mono_ms();

    if (!failed && now - p->told_ms >= TELL_MS) {
        fprintf(stderr, "tallyd: %llu counters looked at, %llu hits moved\n", (unsigned long long)counts->counters,
                (unsigned long long)counts->moved_hits);
        p->told_ms = now;
    }
    return failed;
}

static int pass_try(struct moving *m, bool sure, bool *whole, struct error *err)
{
    struct pass pass = {.moving = m, .told_ms = clock_mono_ms()};
    const struct walk walk = {.moving = m, .space = &m->from, .ctx = &pass, .takes = pass_takes, .page = pass_page};
    uint32_t before[PARTITIONS_MAX], after[PARTITIONS_MAX];

    m->counts = (struct moving_counts){0};
    int failed = moving_layout(m, before, err);
    if (!failed)
        failed = keys_walk(&walk, err);
    if (!failed)
        failed = moving_layout(m, after, err);
    *whole = !failed && (!sure || memcmp(before, after, m->from.partitions * sizeof(*before)) == 0);
    return failed;
}

int moving_pass(struct moving *m, bool sure, struct error *err)
{
    bool whole = false;

    while (!whole) {
        int failed = pass_try(m, sure, &whole, err);
        if (failed && (failed = moving_retry(m, failed, err)) != 0)
            return failed;
    }
    return 0;
}

/* ---- the end ---- */

static int finish_state(struct moving *m, uint32_t partition, struct error *err)
{
    buf_clear(&m->scratch);
    entry_append_state(&m->scratch, &m->to, partition);
    buf_clear(&m->out);
    command_append(&m->out, 3, (struct slice[]){SLICE("SET"), buf_slice(&m->scratch), slice_of(m->finished)});
    return ask_slot(m, keyspace_slot(&m->to, partition), 1, on_done, NULL, err);
}

struct removal {
    struct moving *moving;
    bool marks; /* else the old data set's */
};

static bool removal_takes(void *ctx, struct slice key, struct entry *e)
{
    const struct removal *r = ctx;
    const struct moving *m = r->moving;

    return r->marks ? entry_of_mark(&m->from, &m->to, key, e) : entry_of_key(&m->from, &m->to, key, e) == ENTRY_THERE;
}

/* Of one partition. Returns how many. */
static uint32_t compose_removal(const struct removal *r, const struct page *p, uint32_t first, uint16_t *slot)
{
    struct moving *m = r->moving;
    const struct item *begins = &p->items[first];
    uint32_t count = 0;

    *slot = r->marks ? keyspace_slot(&m->to, begins->to) : keyspace_slot(&m->from, begins->from);
    buf_clear(&m->out);
    for (; count < DELETED_AT_ONCE && first + count < p->count; count++) {
        const struct item *item = &begins[count];
        struct entry e = page_entry(p, item);
        if (r->marks ? item->to != begins->to : item->from != begins->from)
            break;
        buf_clear(&m->scratch);
        if (r->marks)
            entry_append_mark(&m->scratch, &m->to, &e);
        else
            entry_append_old(&m->scratch, &m->from, &e);
        command_append(&m->out, 2, (struct slice[]){SLICE("DEL"), buf_slice(&m->scratch)});
        m->out.failed |= m->scratch.failed;
    }
    return count;
}

static int removal_page(void *ctx, struct page *p, struct error *err)
{
    const struct removal *r = ctx;
    int failed = 0;

    page_sort(p, r->marks);
    for (uint32_t first = 0, count; !failed && first < p->count; first += count) {
        uint16_t slot;
        count = compose_removal(r, p, first, &slot);
        failed = ask_slot(r->moving, slot, count, on_done, NULL, err);
        if (!failed)
            moving_progressed(r->moving);
    }
    return failed;
}

static int remove_all(struct moving *m, bool marks, struct error *err)
{
    struct removal removal = {m, marks};
    const struct walk walk = {
        .moving = m,
        .space = marks ? &m->to : &m->from,
        .behind = marks ? SLICE("!moved:") : (struct slice){"", 0},
        .ctx = &removal,
        .takes = removal_takes,
        .page = removal_page,
    };
    return keys_walk(&walk, err);
}

static int finish_try(struct moving *m, bool remove_old, struct error *err)
{
    int failed = 0;

    for (uint32_t i = 0; !failed && i < m->to.partitions; i++)
        failed = finish_state(m, i, err);
    if (!failed)
        failed = remove_all(m, true, err);
    if (!failed && remove_old)
        failed = remove_all(m, false, err);
    return failed;
}

int moving_finish(struct moving *m, bool remove_old, struct error *err)
{
    int failed;

    while ((failed = finish_try(m, remove_old, err)) != 0)
        if ((failed = moving_retry(m, failed, err)) != 0)
            return failed;
    return 0;
}
