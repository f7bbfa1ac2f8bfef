#include "flush/embedded.h"

#include "sync/atomic.h"
#include "tally/shard.h"

static uint64_t store_key(struct keys *keys, uint32_t key, uint64_t now_ms)
{
    uint64_t stored = 0;

    for (key_cell c = keys_first_cell(keys, key); c; c = keys_next_cell(keys, c)) {
        uint64_t count = keys_count(keys, c);
        stored += count - keys_baseline(keys, c);
        keys_set_baseline(keys, c, count);
    }
    /* A sum of several shards may pass what a total can say; it stays at the most it can. */
    uint64_t total = keys_base(keys, key);
    keys_publish(keys, key, total > INT64_MAX ? INT64_MAX : (int64_t)total, now_ms);
    if (keys_sum(keys, key) != SUM_NONE)
        sums_at(keys_sums(keys), keys_sum(keys, key), 0)->stored += (int64_t)stored;
    return stored;
}

void embedded_store(struct accounts *a, uint64_t now_ms)
{
    uint64_t stored = 0;

    if (keys_dirty(a->keys) == 0)
        return;
    for (uint32_t key; (key = keys_pop_dirty(a->keys, 0)) != KEY_NONE;)
        stored += store_key(a->keys, key, now_ms);
    books_post(a->books, &(struct books_move){.stored = (int64_t)stored});
    store_relaxed_u64(&a->stats->last_flush_ms, now_ms);
}

static void read_one(struct keys *keys, struct answer *result)
{
    uint32_t key = keys_find(keys, (struct slice){result->name, result->name_bytes});
    uint64_t base = key == KEY_NONE ? 0 : keys_base(keys, key);

    result->state = key == KEY_NONE ? ANSWER_MISSING : ANSWER_FOUND;
    result->stored = base > INT64_MAX ? INT64_MAX : (int64_t)base;
}

/* A name that several workers count is shown with the first of its cells. */
static bool is_first(const struct tally *t, uint32_t worker, struct slice name)
{
    uint32_t first, cell;

    return tally_find(t, name, &first, &cell) && first == worker;
}

void embedded_scan(const struct tally *t, struct scan *s)
{
    uint32_t worker = (uint32_t)(s->place.cursor >> 32), cell = (uint32_t)s->place.cursor;

    s->state = SCAN_DONE;
    for (; worker < tally_workers(t); worker++, cell = 0) {
        const struct shard *shard = tally_shard((struct tally *)(uintptr_t)t, worker);
        for (uint32_t cells = shard_cells(shard); cell < cells; cell++) {
            struct slice name = shard_name(shard, cell);
            if (!scan_begins(s, name) || !is_first(t, worker, name))
                continue;
            s->place.cursor = (uint64_t)worker << 32 | cell;
            if (s->count == s->limit)
                return;
            if (scan_add(s, name) < 0) {
                s->state = SCAN_BUSY;
                return;
            }
            s->names[s->count - 1].there = true;
        }
    }
    s->ended = true;
}

void embedded_read(struct keys *keys, struct question *question)
{
    for (uint32_t i = 0; i < question->count; i++)
        read_one(keys, &question->results[i]);
}
