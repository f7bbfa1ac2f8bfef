/* Keys that leave, so that what is counted next has room. */
#include <assert.h>

#include "owed/keys_inside.h"
#include "tally/places.h"
#include "tally/shard.h"
#include "tally/totals.h"

uint32_t keys_end(const struct keys *k) { return k->end; }

/* A cell that has counted too much is not used again. */
static bool cells_may_part(const struct keys *k, uint32_t key)
{
    bool may = true;

    for (key_cell c = keys_first_cell(k, key); c && may; c = keys_next_cell(k, c))
        may = keys_count(k, c) <= SHARD_COUNT_PARTS_MAX;
    return may;
}

/* What a batch under way, the replay window or the journal know of a key was used when they came to know it. */
bool keys_may_leave(const struct keys *k, uint32_t key, uint64_t now_ms, uint64_t idle_ms)
{
    uint32_t idle = key_moment(now_ms) - k->used[key];

    return k->first_cell[key] && k->place[key] == KEY_IN_NONE && !k->aside[key] && idle > key_moment(idle_ms) + 1 &&
           keys_unstored(k, key) == 0 && cells_may_part(k, key) &&
           !(keys_top(k, key) && top_needs(keys_top(k, key), key));
}

void keys_leave(struct keys *k, uint32_t key)
{
    assert(k->place[key] == KEY_IN_NONE);
    k->place[key] = KEY_IN_LEAVING;
    for (key_cell c = keys_first_cell(k, key); c; c = keys_next_cell(k, c))
        totals_leave(k->totals, key_cell_shard(c), key_cell_index(c));
}

static void set_first(struct keys *k, uint32_t key, key_cell cell)
{
    k->first_cell[key] = cell ? key_cell_index(cell) + 1 : 0;
    k->first_shard[key] = cell ? (uint16_t)key_cell_shard(cell) : 0;
}

uint32_t keys_cell_parts(struct keys *k, uint32_t key, key_cell cell)
{
    key_cell *next = &k->shards[key_cell_shard(cell)].next[key_cell_index(cell)];
    key_cell before = keys_first_cell(k, key);

    if (before == cell) {
        set_first(k, key, *next);
    } else {
        while (keys_next_cell(k, before) != cell)
            before = keys_next_cell(k, before);
        k->shards[key_cell_shard(before)].next[key_cell_index(before)] = *next;
    }
    *next = 0;
    totals_part(k->totals, key_cell_shard(cell), key_cell_index(cell));
    return shard_is_placed(k->shards[key_cell_shard(cell)].shard, key_cell_index(cell));
}

void keys_cell_stays(struct keys *k, key_cell cell)
{
    totals_stay(k->totals, key_cell_shard(cell), key_cell_index(cell));
}

/* A key that stays keeps one place, and one that is forgotten has given one back, whatever went with its cells. */
static void correct_places(struct keys *k, struct slice name, bool stays, uint32_t given_back)
{
    for (uint32_t owed = !stays; given_back > owed; given_back--)
        places_add(k->places, name);
    if (!stays && given_back == 0)
        places_give_back(k->places, places_namespace(k->places, name));
}

bool keys_settle(struct keys *k, uint32_t key, struct slice name, uint32_t places)
{
    bool dirty = k->place[key] == KEY_IN_LEAVING_DIRTY, stays = k->first_cell[key];

    assert(dirty || k->place[key] == KEY_IN_LEAVING);
    k->place[key] = KEY_IN_NONE;
    correct_places(k, name, stays, places);
    if (!stays) {
        if (keys_top(k, key))
            top_drop(k->tops, keys_top(k, key), key); /* it stays in the store's set */
        k->partition[key] = 0;
        totals_give_back(k->totals, key);
    } else if (dirty || keys_unstored(k, key)) {
        keys_push_dirty(k, key);
    }
    return !stays;
}
