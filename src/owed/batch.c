#include "owed/batch.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/command.h"
#include "tally/name.h"

#define PARTS_CAPACITY_MIN 64

int batch_init(struct batch *b, uint32_t items_max, uint32_t parts_max)
{
    *b = (struct batch){.items_max = items_max,
                        .parts_max = parts_max,
                        .items = malloc(items_max * sizeof(*b->items)),
                        .ledger_expires_s = LEDGER_EXPIRES_S};
    return b->items ? 0 : -ENOMEM;
}

void batch_fini(struct batch *b)
{
    buf_fini(&b->bytes);
    free(b->tops);
    free(b->sums);
    free(b->parts);
    free(b->items);
}

void batch_begin(struct batch *b, const struct ledger *ledger)
{
    b->ledger = *ledger;
    b->items_count = 0;
    b->parts_count = 0;
    b->sums_count = b->sums_sent = 0;
    b->sums_settled = false;
    b->tops_count = 0;
    b->hits = 0;
    b->unheld = 0;
    b->found = 0;
    b->refused = 0;
    b->write = (struct batch_write){0};
    b->overwrites = false;
    b->inherited = false;
    b->revived = false;
    b->examined = false;
    b->prepared = false;
    b->replaces = false;
    b->is_probe = false;
    b->sends = 0;
    b->copies = 0;
    buf_clear(&b->bytes);
}

/* ---- filling ---- */

static bool batch_has_room(struct batch *b)
{
    if (b->parts_count == b->parts_max)
        return false;
    if (b->parts_count < b->parts_capacity)
        return true;
    uint32_t capacity = b->parts_capacity ? b->parts_capacity * 2 : PARTS_CAPACITY_MIN;
    struct batch_part *parts = realloc(b->parts, capacity * sizeof(*parts));
    if (!parts)
        return false;
    b->parts = parts;
    b->parts_capacity = capacity;
    return true;
}

/* Notes the growth of one cell, cut so that the item's delta fits what INCRBY takes. false: no room. */
static bool batch_add_part(struct batch *b, struct batch_item *item, const struct keys *keys, key_cell cell)
{
    uint64_t from = keys_baseline(keys, cell), grown = keys_count(keys, cell) - from;
    uint64_t room = (uint64_t)(INT64_MAX - item->delta);

    if (grown > room)
        grown = room;
    if (grown == 0)
        return true;
    if (!batch_has_room(b))
        return false;
    b->parts[b->parts_count++] = (struct batch_part){.cell = cell, .from = from, .to = from + grown};
    item->parts_count++;
    item->delta += (int64_t)grown;
    return true;
}

static bool batch_add_key(struct batch *b, struct keys *keys, uint32_t key)
{
    struct batch_item item = {.key = key, .parts_first = b->parts_count};

    for (key_cell c = keys_first_cell(keys, key); c; c = keys_next_cell(keys, c)) {
        if (!batch_add_part(b, &item, keys, c)) {
            b->parts_count = item.parts_first;
            return false;
        }
    }
    if (item.delta == 0)
        return true;
    if (!batch_sum_item(b, keys, &item)) {
        b->parts_count = item.parts_first;
        return false;
    }
    b->items[b->items_count++] = item;
    b->hits += (uint64_t)item.delta;
    b->unheld += keys_unhold(keys, key);
    return true;
}

bool batch_take_key(struct batch *b, struct keys *keys, uint32_t key)
{
    if (!batch_add_key(b, keys, key))
        return false;
    keys_take_held(keys, key);
    return true;
}

void batch_fill(struct batch *b, struct keys *keys, uint32_t partition)
{
    b->pushes = keys_pushes(keys);
    while (b->items_count < b->items_max) {
        uint32_t key = keys_pop_dirty(keys, partition);
        if (key == KEY_NONE)
            return;
        bool added = batch_add_key(b, keys, key);
        bool cut = added && b->items_count && b->items[b->items_count - 1].delta == INT64_MAX;
        if (added && !cut)
            continue;
        /* The rest of a cut key goes with the next batch; were it popped again for this one, the same growth would
         * be counted twice. */
        keys_push_dirty(keys, key);
        return;
    }
}

int batch_restore_part(struct batch *b, uint32_t key, const struct batch_part *part)
{
    bool more = b->items_count && b->items[b->items_count - 1].key == key;

    if (!batch_has_room(b) || (!more && b->items_count == b->items_max))
        return -ENOMEM;
    if (!more)
        b->items[b->items_count++] = (struct batch_item){.key = key, .parts_first = b->parts_count};
    struct batch_item *item = &b->items[b->items_count - 1];
    b->parts[b->parts_count++] = *part;
    item->parts_count++;
    item->delta += (int64_t)(part->to - part->from);
    b->hits += part->to - part->from;
    return 0;
}

/* ---- refusals ---- */

void batch_refuse(struct batch *b, uint32_t index, enum redis_error_class why)
{
    b->refused += b->items[index].refused == REDIS_ERROR_NONE;
    b->items[index].refused = why;
}

void batch_refuse_write(struct batch *b)
{
    b->refused += !b->write.refused;
    b->write.refused = true;
}

void batch_refuse_sum(struct batch *b, uint32_t index, enum redis_error_class why)
{
    b->refused += b->sums[index].refused == REDIS_ERROR_NONE;
    b->sums[index].refused = why;
}

void batch_refuse_top(struct batch *b, uint32_t index, enum redis_error_class why)
{
    b->refused += b->tops[index].refused == REDIS_ERROR_NONE;
    b->tops[index].refused = why;
}

void batch_forget_refusals(struct batch *b)
{
    for (uint32_t i = 0; b->refused && i < b->tops_count; i++)
        b->tops[i].refused = REDIS_ERROR_NONE;
    for (uint32_t i = 0; b->refused && i < b->sums_sent; i++)
        b->sums[i].refused = REDIS_ERROR_NONE;
    for (uint32_t i = 0; b->refused && i < b->items_count; i++)
        b->items[i].refused = REDIS_ERROR_NONE;
    b->write.refused = false;
    b->refused = 0;
}

/* ---- bytes ---- */

void batch_append_redis_key(struct buf *out, struct slice prefix, struct slice name)
{
    uint32_t partition;
    struct slice ns;

    if (name_total_read(name, &partition, &ns)) {
        keyspace_append_total_key(out, prefix, partition, ns);
        return;
    }
    buf_append_slice(out, prefix);
    buf_append_slice(out, name_ns(name));
    buf_append(out, ":", 1);
    buf_append_slice(out, name_key(name));
}

static void compose_item(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name, int64_t delta)
{
    buf_clear(scratch);
    batch_append_redis_key(scratch, prefix, name);
    size_t key_bytes = scratch->bytes;
    buf_append_i64(scratch, delta);
    if (scratch->failed) {
        out->failed = true;
        return;
    }
    /* Of many names, most have one hit: INCR costs the server a sixth less, and the bytes of the 1. */
    bool one = delta == 1;
    command_append(out, one ? 2 : 3,
                   (struct slice[]){
                       one ? SLICE("INCR") : SLICE("INCRBY"),
                       {scratch->data, key_bytes},
                       {scratch->data + key_bytes, scratch->bytes - key_bytes},
                   });
}

static void compose_write(struct buf *out, struct buf *scratch, struct slice prefix, const struct batch_write *w)
{
    const struct answer *r = &w->question->results[0];

    buf_clear(scratch);
    batch_append_redis_key(scratch, prefix, (struct slice){r->name, r->name_bytes});
    size_t key_bytes = scratch->bytes;
    buf_append_i64(scratch, w->value);
    out->failed |= scratch->failed;
    if (out->failed)
        return;
    struct slice key = {scratch->data, key_bytes}, value = {scratch->data + key_bytes, scratch->bytes - key_bytes};
    command_append(out, w->set ? 3 : 2, (struct slice[]){w->set ? SLICE("SET") : SLICE("DEL"), key, value});
}

/* Of a probe: only if there is one. */
static void compose_ledger(struct batch *b, struct slice ledger_key)
{
    char value[LEDGER_VALUE_BYTES_MAX];
    size_t value_bytes = ledger_format(&b->ledger, value);
    const struct slice expires_s = {b->ledger_expires_s, strlen(b->ledger_expires_s)};

    command_append(
        &b->bytes, b->is_probe ? 6 : 5,
        (struct slice[]){SLICE("SET"), ledger_key, {value, value_bytes}, SLICE("EX"), expires_s, SLICE("XX")});
}

int batch_prepare(struct batch *b, const struct keys *keys, struct slice prefix)
{
    struct buf scratch = {0};

    buf_clear(&b->bytes);
    for (uint32_t i = 0; i < b->items_count; i++)
        compose_item(&b->bytes, &scratch, prefix, keys_name(keys, b->items[i].key), b->items[i].delta);
    buf_fini(&scratch);
    b->prepared = !b->bytes.failed;
    return b->prepared ? 0 : -ENOMEM;
}

int batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key)
{
    struct buf scratch = {0};
    int failed = b->prepared ? 0 : batch_prepare(b, keys, prefix);

    if (failed)
        return failed;
    b->prepared = false;
    if (b->write.there)
        compose_write(&b->bytes, &scratch, prefix, &b->write);
    batch_compose_sums(b, keys, prefix);
    batch_compose_tops(b, keys, prefix);
    compose_ledger(b, ledger_key);
    command_append(&b->bytes, 1, (struct slice[]){SLICE("EXEC")});
    buf_fini(&scratch);
    return b->bytes.failed ? -ENOMEM : 0;
}

int batch_compose_probe(struct batch *b, struct slice ledger_key)
{
    buf_clear(&b->bytes);
    b->is_probe = true;
    compose_ledger(b, ledger_key);
    command_append(&b->bytes, 1, (struct slice[]){SLICE("EXEC")});
    return b->bytes.failed ? -ENOMEM : 0;
}

/* ---- its end ---- */

void batch_item_applied(const struct batch *b, struct keys *keys, struct batch_item *item)
{
    item->applied = true;
    for (uint32_t i = 0; i < item->parts_count; i++) {
        const struct batch_part *part = &b->parts[item->parts_first + i];
        keys_set_baseline(keys, part->cell, part->to);
    }
}

void batch_give_back(const struct batch *b, struct keys *keys)
{
    for (uint32_t i = 0; i < b->items_count; i++) {
        const struct batch_item *item = &b->items[i];
        if (item->refused)
            keys_hold(keys, item->key, (uint64_t)item->delta);
        else
            keys_push_dirty(keys, item->key);
    }
}

uint64_t batch_refused_hits(const struct batch *b)
{
    uint64_t hits = 0;

    for (uint32_t i = 0; i < b->items_count; i++)
        hits += b->items[i].refused ? (uint64_t)b->items[i].delta : 0;
    return hits;
}

static const char *batch_top_name(const struct batch_top *t)
{
    static const char *const names[] = {
        [BATCH_TOP_RAISE] = "zadd",  [BATCH_TOP_LOWER] = "zadd",           [BATCH_TOP_PUT] = "zadd",
        [BATCH_TOP_REMOVE] = "zrem", [BATCH_TOP_TRIM] = "zremrangebyrank", [BATCH_TOP_COUNT] = "zcount",
    };

    return names[t->command];
}

const char *batch_command(const struct batch *b, uint32_t index)
{
    if (index < b->items_count)
        return b->items[index].delta == 1 ? "incr" : "incrby";
    if (index >= batch_sums_at(b) && index < batch_tops_at(b))
        return "incrby";
    if (index >= batch_tops_at(b) && index < batch_commands(b))
        return batch_top_name(&b->tops[index - batch_tops_at(b)]);
    return index == b->items_count && b->write.there && !b->write.set ? "del" : "set";
}
