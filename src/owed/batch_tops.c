/* What a batch says to the sets of highest keys (tally/tops.h).
 *
 * Nothing of it is in the journal. An offer is a total that some batch before had for an answer, so to make it twice or
 * late does no harm, and an offer that is lost is made again by whoever knows the key. */
#include <stdio.h>
#include <stdlib.h>

#include "owed/batch.h"
#include "protocol/command.h"

#define TOPS_CAPACITY_MIN 8
#define NUMBER_BYTES 24

/* Without memory it is not said. */
static struct batch_top *add_command(struct batch *b, uint16_t ns, enum batch_top_command command)
{
    if (b->tops_count == b->tops_capacity) {
        uint32_t capacity = b->tops_capacity ? b->tops_capacity * 2 : TOPS_CAPACITY_MIN;
        struct batch_top *grown = realloc(b->tops, capacity * sizeof(*grown));
        if (!grown)
            return NULL;
        b->tops = grown;
        b->tops_capacity = capacity;
    }
    struct batch_top *t = &b->tops[b->tops_count++];
    *t = (struct batch_top){.ns = ns, .command = (uint8_t)command};
    return t;
}

static struct slice write_name(const struct batch *b)
{
    const struct answer *r = &b->write.question->results[0];

    return (struct slice){r->name, r->name_bytes};
}

static bool has_write_of(const struct batch *b, const struct sums *sums, uint16_t ns)
{
    return b->write.there && slice_equals(name_ns(write_name(b)), sums_name(sums, ns));
}

static bool has_hits_of(const struct batch *b, uint16_t ns)
{
    bool has = false;

    for (uint32_t i = 0; i < b->sums_count && !has; i++)
        has = b->sums[i].ns == ns && b->sums[i].hits;
    return has;
}

/* Is there an offer of that kind? */
static bool has_offer(const struct top *top, bool lower)
{
    bool has = false;

    for (uint32_t i = 0; i < top->count && !has; i++)
        has = top->entries[i].state == TOP_SENT && top->entries[i].lower == lower;
    return has;
}

static void settle_one(struct batch *b, const struct sums *sums, uint16_t ns, struct top *top)
{
    bool offers = top->due > 0, writes = has_write_of(b, sums, ns);

    top_take(top);
    if (has_offer(top, false))
        add_command(b, ns, BATCH_TOP_RAISE);
    if (has_offer(top, true))
        add_command(b, ns, BATCH_TOP_LOWER);
    if (writes)
        add_command(b, ns, b->write.set ? BATCH_TOP_PUT : BATCH_TOP_REMOVE);
    if (offers || writes)
        add_command(b, ns, BATCH_TOP_TRIM);
    struct batch_top *count = top->count && has_hits_of(b, ns) ? add_command(b, ns, BATCH_TOP_COUNT) : NULL;
    if (count)
        *count = (struct batch_top){ns, BATCH_TOP_COUNT, .expected = top->count, .lowest = top_lowest(top)};
}

void batch_settle_tops(struct batch *b, const struct keys *keys, uint32_t partition)
{
    struct tops *tops = keys_tops(keys);

    b->tops_count = 0;
    for (uint16_t ns = 0; !b->replaces && ns < tops_namespaces(tops); ns++)
        if (!tops_at(tops, ns, partition)->rests)
            settle_one(b, keys_sums(keys), ns, tops_at(tops, ns, partition));
    tops_gone(tops, partition);
}

/* ---- bytes ---- */

static struct slice number(char out[NUMBER_BYTES], int64_t n)
{
    int bytes = snprintf(out, NUMBER_BYTES, "%lld", (long long)n);

    return (struct slice){out, (size_t)bytes};
}

static void compose_offers(struct buf *out, const struct keys *keys, struct slice key, const struct top *top,
                           bool lower)
{
    struct slice args[3 + 2 * TOPS_KEPT];
    char numbers[TOPS_KEPT][NUMBER_BYTES];
    size_t count = 0;

    args[count++] = SLICE("ZADD");
    args[count++] = key;
    if (!lower)
        args[count++] = SLICE("GT");
    for (uint32_t i = 0; i < top->count; i++) {
        const struct top_entry *e = &top->entries[i];
        if (e->state != TOP_SENT || e->lower != lower)
            continue;
        args[count++] = number(numbers[i], e->total);
        args[count++] = name_key(keys_name(keys, e->key));
    }
    command_append(out, count, args);
}

static void compose_one(struct batch *b, const struct keys *keys, struct slice key, const struct batch_top *t)
{
    char text[NUMBER_BYTES];
    const struct top *top = tops_at(keys_tops(keys), t->ns, b->partition);

    switch ((enum batch_top_command)t->command) {
    case BATCH_TOP_RAISE:
    case BATCH_TOP_LOWER: compose_offers(&b->bytes, keys, key, top, t->command == BATCH_TOP_LOWER); break;
    case BATCH_TOP_PUT:
        command_append(&b->bytes, 4,
                       (struct slice[]){SLICE("ZADD"), key, number(text, b->write.value), name_key(write_name(b))});
        break;
    case BATCH_TOP_REMOVE:
        command_append(&b->bytes, 3, (struct slice[]){SLICE("ZREM"), key, name_key(write_name(b))});
        break;
    case BATCH_TOP_TRIM:
        command_append(&b->bytes, 4,
                       (struct slice[]){SLICE("ZREMRANGEBYRANK"), key, SLICE("0"),
                                        number(text, -(int64_t)tops_stored(keys_tops(keys)) - 1)});
        break;
    case BATCH_TOP_COUNT:
        command_append(&b->bytes, 4, (struct slice[]){SLICE("ZCOUNT"), key, number(text, t->lowest), SLICE("+inf")});
        break;
    }
}

void batch_compose_tops(struct batch *b, const struct keys *keys, struct slice prefix)
{
    struct buf key = {0};

    for (uint32_t i = 0; i < b->tops_count && !b->bytes.failed; i++) {
        buf_clear(&key);
        keyspace_append_top_key(&key, prefix, b->partition, sums_name(keys_sums(keys), b->tops[i].ns));
        compose_one(b, keys, buf_slice(&key), &b->tops[i]);
        b->bytes.failed |= key.failed;
    }
    buf_fini(&key);
}

/* ---- its end ---- */

static void end_one(struct top *top, const struct batch_top *t)
{
    if (t->command == BATCH_TOP_RAISE || t->command == BATCH_TOP_LOWER)
        top_end(top, t->refused != REDIS_ERROR_NONE);
    if (t->command == BATCH_TOP_COUNT && t->told && !t->refused && t->answer < t->expected)
        top_begin_anew(top);
}

void batch_end_tops(const struct batch *b, const struct keys *keys, bool written)
{
    for (uint32_t i = 0; i < b->tops_count; i++)
        end_one(tops_at(keys_tops(keys), b->tops[i].ns, b->partition), &b->tops[i]);
    for (const struct batch_item *item = b->items; keys_tops(keys) && item < b->items + b->items_count; item++) {
        struct top *top = item->applied && item->told ? keys_top(keys, item->key) : NULL;
        if (top)
            top_note(keys_tops(keys), top, item->key, item->total);
    }
    if (written && b->write.there && b->write.key != KEY_NONE && keys_top(keys, b->write.key))
        top_drop(keys_tops(keys), keys_top(keys, b->write.key),
                 b->write.key); /* the write has set it, as it has the counter */
}

void batch_give_back_tops(const struct batch *b, const struct keys *keys)
{
    for (uint32_t i = 0; i < b->tops_count; i++) {
        struct top *top = tops_at(keys_tops(keys), b->tops[i].ns, b->partition);
        top_end(top, true);
    }
}
