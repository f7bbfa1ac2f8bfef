/* What a batch adds to the totals of namespaces (owed/sums.h). */
#include <errno.h>
#include <stdlib.h>

#include "owed/batch.h"
#include "protocol/command.h"

#define SUMS_CAPACITY_MIN 4

static struct batch_sum *find_sum(const struct batch *b, const struct sums *sums, uint16_t ns)
{
    uint16_t slot = sums_namespace(sums, ns)->slot;

    return slot < b->sums_count && b->sums[slot].ns == ns ? &b->sums[slot] : NULL;
}

/* NULL without memory. */
static struct batch_sum *get_sum(struct batch *b, const struct sums *sums, uint16_t ns)
{
    struct batch_sum *s = find_sum(b, sums, ns);

    if (s)
        return s;
    if (b->sums_count == b->sums_capacity) {
        uint32_t capacity = b->sums_capacity ? b->sums_capacity * 2 : SUMS_CAPACITY_MIN;
        struct batch_sum *grown = realloc(b->sums, capacity * sizeof(*grown));
        if (!grown)
            return NULL;
        b->sums = grown;
        b->sums_capacity = capacity;
    }
    sums_namespace(sums, ns)->slot = (uint16_t)b->sums_count;
    s = &b->sums[b->sums_count++];
    *s = (struct batch_sum){.ns = ns};
    return s;
}

bool batch_sum_item(struct batch *b, const struct keys *keys, const struct batch_item *item)
{
    uint16_t ns = keys_sum(keys, item->key);
    struct batch_sum *s = ns == SUM_NONE ? NULL : get_sum(b, keys_sums(keys), ns);

    if (ns == SUM_NONE)
        return true;
    if (!s || __builtin_add_overflow(s->hits, item->delta, &s->hits))
        return false;
    if (s->cell == 0)
        s->cell = b->parts[item->parts_first].cell;
    return true;
}

/* A namespace that has no total any more gets nothing. */
int batch_restore_sum(struct batch *b, const struct keys *keys, uint16_t ns, key_cell cell, int64_t delta)
{
    struct batch_sum *s = ns == SUM_NONE ? NULL : get_sum(b, keys_sums(keys), ns);

    if (ns == SUM_NONE)
        return 0;
    if (!s)
        return -ENOMEM;
    s->cell = cell;
    s->delta = delta;
    return 0;
}

int batch_restore_sums(struct batch *b, const struct keys *keys)
{
    bool added = true;

    for (uint32_t i = 0; added && i < b->items_count; i++)
        added = batch_sum_item(b, keys, &b->items[i]);
    b->sums_settled = true;
    if (keys_sums(keys))
        batch_order_sums(b, keys);
    return added ? 0 : -ENOMEM;
}

void batch_order_sums(struct batch *b, const struct keys *keys)
{
    b->sums_sent = 0;
    for (uint32_t i = 0; i < b->sums_count; i++) {
        struct batch_sum s = b->sums[i];
        if (s.delta == 0)
            continue;
        b->sums[i] = b->sums[b->sums_sent];
        b->sums[b->sums_sent++] = s;
    }
    for (uint32_t i = 0; i < b->sums_count; i++)
        sums_namespace(keys_sums(keys), b->sums[i].ns)->slot = (uint16_t)i;
}

void batch_settle_sums(struct batch *b, const struct keys *keys, uint32_t partition)
{
    const struct sums *sums = keys_sums(keys);

    b->partition = partition;
    if (b->sums_settled || !sums)
        return;
    for (struct batch_sum *s = b->sums; s < b->sums + b->sums_count; s++) {
        s->delta = 0;
        if (!sums_namespace(sums, s->ns)->rests &&
            __builtin_add_overflow(s->hits, sums_at(sums, s->ns, partition)->owed, &s->delta))
            s->delta = s->hits; /* what is owed waits */
    }
    b->sums_settled = true;
    batch_order_sums(b, keys);
}

void batch_compose_sums(struct batch *b, const struct keys *keys, struct slice prefix)
{
    struct buf scratch = {0};

    for (uint32_t i = 0; i < b->sums_sent; i++) {
        buf_clear(&scratch);
        keyspace_append_total_key(&scratch, prefix, b->partition, sums_name(keys_sums(keys), b->sums[i].ns));
        size_t key_bytes = scratch.bytes;
        buf_append_i64(&scratch, b->sums[i].delta);
        b->bytes.failed |= scratch.failed;
        if (b->bytes.failed)
            break;
        command_append(&b->bytes, 3,
                       (struct slice[]){SLICE("INCRBY"),
                                        {scratch.data, key_bytes},
                                        {scratch.data + key_bytes, scratch.bytes - key_bytes}});
    }
    buf_fini(&scratch);
}

static void add_saturated(int64_t *to, int64_t more)
{
    if (__builtin_add_overflow(*to, more, to))
        *to = more < 0 ? INT64_MIN : INT64_MAX;
}

/* What its items stored belongs to the number. It was added when the number was not refused. */
static void settle_one(struct batch_sum *s, struct sum *sum, uint64_t now_ms)
{
    int64_t before = sum->owed, stored = s->hits - s->lacks;

    add_saturated(&sum->stored, stored);
    add_saturated(&sum->owed, stored - (s->refused ? 0 : s->delta));
    s->change = sum->owed - before;
    if (s->told && !s->refused)
        sum_publish(sum, s->total, now_ms);
}

void batch_end_sums(struct batch *b, const struct keys *keys, uint64_t now_ms)
{
    const struct sums *sums = keys_sums(keys);

    if (!sums)
        return;
    for (uint32_t i = 0; i < b->sums_count; i++) {
        b->sums[i].lacks = 0;
        sums_namespace(sums, b->sums[i].ns)->slot = (uint16_t)i; /* another batch was looked at since */
    }
    for (const struct batch_item *item = b->items; item < b->items + b->items_count; item++) {
        uint16_t ns = item->applied ? SUM_NONE : keys_sum(keys, item->key);
        struct batch_sum *s = ns == SUM_NONE ? NULL : find_sum(b, sums, ns);
        if (s)
            s->lacks += item->delta;
    }
    for (struct batch_sum *s = b->sums; s < b->sums + b->sums_count; s++) {
        sums_namespace(sums, s->ns)->rests |= s->refused != REDIS_ERROR_NONE;
        settle_one(s, sums_at(sums, s->ns, b->partition), now_ms);
    }
}
