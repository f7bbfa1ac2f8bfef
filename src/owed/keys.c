#include "owed/keys.h"

#include <errno.h>
#include <stdlib.h>

#include "base/region.h"
#include "owed/keys_inside.h"
#include "sync/barrier.h"
#include "tally/places.h"
#include "tally/shard.h"
#include "tally/totals.h"

/* ---- names and cells ---- */

/* Each name has one place, whoever took how many for it. */
static void keys_correct_places(struct keys *k, struct slice name, bool is_new, bool placed)
{
    if (is_new && !placed)
        places_add(k->places, name);
    else if (!is_new && placed)
        places_give_back(k->places, places_namespace(k->places, name));
}

static uint32_t keys_add_cell(struct keys *k, uint32_t shard, uint32_t cell)
{
    uint32_t key = totals_of_cell(k->totals, shard, cell);

    if (key != TOTALS_NONE)
        return key;
    /* The totals hold as many names as the tally lets in; a name too many stays pending and in the books. */
    key = totals_intern(k->totals, shard, cell);
    if (key == TOTALS_NONE)
        return KEY_NONE;
    struct slice name = shard_name(k->shards[shard].shard, cell);
    uint8_t partition = (uint8_t)keyspace_partition(k->space, name);
    keys_correct_places(k, name, !k->first_cell[key], shard_is_placed(k->shards[shard].shard, cell));
    if (key >= k->end)
        k->end = key + 1;
    k->used[key] = k->clock;
    /* Zeroes are there already; to write them would make the columns resident. */
    if (partition)
        k->partition[key] = partition;
    keys_note_sum(k, key, name);
    if (k->first_cell[key])
        k->shards[shard].next[cell] = keys_first_cell(k, key);
    k->first_cell[key] = cell + 1;
    if (k->first_shard[key] != shard)
        k->first_shard[key] = (uint16_t)shard;
    return key;
}
_Static_assert(KEY_NONE == TOTALS_NONE, "a key is an entry of the totals");

/* Through the cells, as a worker may count a name that no flush has met yet. */
uint32_t keys_find(struct keys *k, struct slice name)
{
    uint64_t hash = keys_hash(k, name);

    for (uint32_t i = 0; i < k->shards_count; i++) {
        uint32_t cell = shard_find(k->shards[i].shard, name, hash);
        if (cell != SHARD_CELL_NONE)
            return keys_add_cell(k, i, cell);
    }
    return KEY_NONE;
}

uint64_t keys_hash(const struct keys *k, struct slice name) { return shard_hash(k->shards[0].shard, name); }

struct slice keys_name(const struct keys *k, uint32_t key)
{
    return shard_name(k->shards[k->first_shard[key]].shard, k->first_cell[key] - 1);
}

key_cell keys_first_cell(const struct keys *k, uint32_t key)
{
    return keys_cell(k->first_shard[key], k->first_cell[key] - 1);
}

key_cell keys_next_cell(const struct keys *k, key_cell cell)
{
    return k->shards[key_cell_shard(cell)].next[key_cell_index(cell)];
}

uint64_t keys_count(const struct keys *k, key_cell cell)
{
    return shard_count(k->shards[key_cell_shard(cell)].shard, key_cell_index(cell));
}

uint64_t keys_baseline(const struct keys *k, key_cell cell)
{
    return shard_baseline(k->shards[key_cell_shard(cell)].shard, key_cell_index(cell));
}

void keys_set_baseline(struct keys *k, key_cell cell, uint64_t to)
{
    shard_set_baseline(k->shards[key_cell_shard(cell)].shard, key_cell_index(cell), to);
}

uint32_t keys_of_cell(struct keys *k, uint32_t shard, uint32_t cell, key_cell *out)
{
    if (shard >= k->shards_count || cell >= shard_cells(k->shards[shard].shard))
        return KEY_NONE;
    *out = keys_cell(shard, cell);
    return keys_add_cell(k, shard, cell);
}

bool keys_have_stored(const struct keys *k, uint32_t shard, uint32_t cell, uint64_t count)
{
    return shard < k->shards_count && cell < shard_cells(k->shards[shard].shard) &&
           shard_baseline(k->shards[shard].shard, cell) >= count;
}

uint32_t keys_of(const struct keys *k, key_cell cell)
{
    return totals_of_cell(k->totals, key_cell_shard(cell), key_cell_index(cell));
}

/* ---- lists ---- */

uint32_t keys_dirty(const struct keys *k) { return k->dirty_count; }
uint64_t keys_pushes(const struct keys *k) { return k->pushes; }
uint32_t keys_dirty_of(const struct keys *k, uint32_t partition) { return k->dirty[partition].count; }
uint32_t keys_held(const struct keys *k) { return k->held.count; }

void keys_push_dirty(struct keys *k, uint32_t key)
{
    k->used[key] = k->clock;
    if (k->place[key] == KEY_IN_RESTING)
        keys_rest_end(k, key);
    if (k->place[key] == KEY_IN_LEAVING)
        k->place[key] = KEY_IN_LEAVING_DIRTY;
    if (k->place[key] != KEY_IN_NONE)
        return;
    k->place[key] = KEY_IN_DIRTY;
    key_list_push(&k->dirty[k->partition[key]], k->next, key);
    k->dirty_count++;
    k->pushes++;
}

static void keys_push_held(struct keys *k, uint32_t key)
{
    k->place[key] = KEY_IN_HELD;
    key_list_push(&k->held, k->next, key);
}

uint32_t keys_pop_dirty(struct keys *k, uint32_t partition)
{
    for (uint32_t key; (key = key_list_pop(&k->dirty[partition], k->next)) != KEY_NONE;) {
        k->dirty_count--;
        if (k->place[key] == KEY_IN_DIRTY) {
            k->place[key] = KEY_IN_NONE;
            return key;
        }
        keys_push_held(k, key);
    }
    return KEY_NONE;
}

void keys_hold(struct keys *k, uint32_t key, uint64_t hits)
{
    k->aside[key] += hits;
    if (k->place[key] == KEY_IN_RESTING)
        keys_rest_end(k, key);
    if (k->place[key] == KEY_IN_NONE)
        keys_push_held(k, key);
    else if (k->place[key] == KEY_IN_DIRTY)
        k->place[key] = KEY_IN_DIRTY_FOR_HELD;
}

uint64_t keys_unhold(struct keys *k, uint32_t key)
{
    uint64_t hits = k->aside[key];

    if (hits)
        k->aside[key] = 0;
    return hits;
}

uint64_t keys_unstored(const struct keys *k, uint32_t key)
{
    uint64_t hits = 0;

    for (key_cell c = keys_first_cell(k, key); c; c = keys_next_cell(k, c))
        hits += keys_count(k, c) - keys_baseline(k, c);
    return hits;
}

uint64_t keys_sweep_held(struct keys *k)
{
    uint64_t swept = 0;
    uint32_t key = k->held.head;

    for (uint32_t n = 0; n < k->held.count; n++, key = k->next[key]) {
        uint64_t hits = keys_unstored(k, key);
        swept += hits - k->aside[key];
        k->aside[key] = hits;
    }
    return swept;
}

void keys_release_held(struct keys *k)
{
    for (uint32_t key; (key = key_list_pop(&k->held, k->next)) != KEY_NONE;) {
        k->place[key] = KEY_IN_NONE;
        keys_push_dirty(k, key);
    }
}

void keys_take_held(struct keys *k, uint32_t key)
{
    if (k->place[key] == KEY_IN_DIRTY_FOR_HELD)
        k->place[key] = KEY_IN_DIRTY;
    if (k->place[key] != KEY_IN_HELD)
        return;
    for (uint32_t n = k->held.count; n > 0; n--) {
        uint32_t other = key_list_pop(&k->held, k->next);
        if (other != key)
            keys_push_held(k, other);
    }
    k->place[key] = KEY_IN_NONE;
}

/* ---- collecting ---- */

static void keys_take_touched(struct keys *k, uint32_t shard)
{
    struct shard *s = k->shards[shard].shard;
    uint32_t cell;

    /* No more than there are: a worker re-arms cells as fast as they are taken. */
    for (uint32_t n = shard_cells(s); n > 0 && shard_take_touched(s, &cell); n--) {
        uint32_t key = keys_add_cell(k, shard, cell);
        if (key != KEY_NONE)
            keys_touch(k, key);
    }
}

/* Without the barrier a hit may have been counted just before its cell was taken and become visible only later,
 * and nothing would report it again: everything in DIRTY gets a second look at the next collection. */
static void keys_remember_unsure(struct keys *k)
{
    for (uint32_t p = 0; p < k->space->partitions; p++) {
        uint32_t key = k->dirty[p].head;
        for (uint32_t n = 0; n < k->dirty[p].count; n++, key = k->next[key])
            key_list_push(&k->unsure, k->unsure_next, key);
    }
}

void keys_set_clock(struct keys *k, uint64_t now_ms) { k->clock = key_moment(now_ms); }

void keys_use(struct keys *k, uint32_t key, uint64_t now_ms) { k->used[key] = key_moment(now_ms); }

void keys_collect(struct keys *k)
{
    keys_wake_rested(k);
    for (uint32_t key; (key = key_list_pop(&k->unsure, k->unsure_next)) != KEY_NONE;) {
        /* Without a cell it was forgotten. Without hits it would be unsure again, and for ever. */
        if (k->first_cell[key] && keys_unstored(k, key))
            keys_push_dirty(k, key);
    }
    for (uint32_t i = 0; i < k->shards_count; i++)
        keys_take_touched(k, i);
    /* Partner: barrier_light() in shard_add(). After it every hit that found its cell re-armed is visible to
     * the loads of keys_count(), and every later one reports its cell again. */
    if (!barrier_heavy())
        keys_remember_unsure(k);
}

/* ---- totals ---- */

uint64_t keys_base(const struct keys *k, uint32_t key)
{
    uint64_t base = 0;

    for (key_cell c = keys_first_cell(k, key); c; c = keys_next_cell(k, c))
        if (totals_covers(k->totals, key_cell_shard(c), key_cell_index(c)))
            base += keys_baseline(k, c);
    return base;
}

void keys_publish(struct keys *k, uint32_t key, int64_t stored, uint64_t now_ms)
{
    const struct total total = {
        .stored = stored, .base = keys_base(k, key), .as_of_ms = now_ms ? now_ms : 1, /* 0 is kept for "never" */
    };

    totals_publish(k->totals, key, &total);
}

void keys_publish_growth(struct keys *k, uint32_t key, int64_t delta)
{
    struct total total;

    totals_read(k->totals, key, &total);
    if (total.as_of_ms == 0 || __builtin_add_overflow(total.stored, delta, &total.stored))
        return;
    total.base = keys_base(k, key);
    totals_publish(k->totals, key, &total);
}

/* ---- life ---- */

static bool keys_reserve(struct keys *k, struct tally *tally)
{
    size_t n = k->keys_max;

    k->next = region_reserve(n * sizeof(*k->next));
    k->unsure_next = region_reserve(n * sizeof(*k->unsure_next));
    k->place = region_reserve(n * sizeof(*k->place));
    k->aside = region_reserve(n * sizeof(*k->aside));
    k->first_cell = region_reserve(n * sizeof(*k->first_cell));
    k->first_shard = region_reserve(n * sizeof(*k->first_shard));
    k->partition = region_reserve(n * sizeof(*k->partition));
    k->used = region_reserve(n * sizeof(*k->used));
    k->dirty = calloc(k->space->partitions, sizeof(*k->dirty));
    bool ok = k->next && k->unsure_next && k->place && k->aside && k->first_cell && k->first_shard && k->partition &&
              k->used && k->dirty;
    for (uint32_t i = 0; ok && i < k->shards_count; i++) {
        struct keys_shard *s = &k->shards[i];
        s->shard = tally_shard(tally, i);
        s->next = region_reserve(n * sizeof(*s->next));
        ok = s->next;
    }
    return ok;
}

int keys_create(struct keys **out, struct tally *tally, const struct keyspace *space)
{
    uint32_t shards = tally_workers(tally);
    struct keys *k = calloc(1, sizeof(*k) + shards * sizeof(k->shards[0]));

    if (!k)
        return -ENOMEM;
    k->totals = tally_totals(tally);
    k->places = tally_places(tally);
    k->space = space;
    k->keys_max = tally_entries_max(tally);
    k->shards_count = shards;
    if (!keys_reserve(k, tally)) {
        keys_destroy(k);
        return -ENOMEM;
    }
    *out = k;
    return 0;
}

void keys_destroy(struct keys *k)
{
    if (!k)
        return;
    keys_end_rests(k);
    size_t n = k->keys_max;
    for (uint32_t i = 0; i < k->shards_count; i++) {
        struct keys_shard *s = &k->shards[i];
        free(s->inherited);
        region_release(s->next, n * sizeof(*s->next));
    }
    free(k->dirty);
    tops_destroy(k->tops);
    sums_destroy(k->sums);
    region_release(k->sum, n * sizeof(*k->sum));
    region_release(k->used, n * sizeof(*k->used));
    region_release(k->partition, n * sizeof(*k->partition));
    region_release(k->first_shard, n * sizeof(*k->first_shard));
    region_release(k->first_cell, n * sizeof(*k->first_cell));
    region_release(k->aside, n * sizeof(*k->aside));
    region_release(k->place, n * sizeof(*k->place));
    region_release(k->unsure_next, n * sizeof(*k->unsure_next));
    region_release(k->next, n * sizeof(*k->next));
    free(k);
}
