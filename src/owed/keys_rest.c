/* Keys with few hits, which wait for more before they go out (--flush-interval-max). */
#include <assert.h>
#include <errno.h>

#include "base/region.h"
#include "owed/keys_inside.h"
#include "tally/totals.h"

#define HITS_ENOUGH 16 /* then a command for them costs little a hit */

int keys_let_rest(struct keys *k, uint64_t rest_ms)
{
    k->rest_for = key_moment(rest_ms);
    k->rests = region_reserve(k->keys_max * sizeof(*k->rests));
    return k->rests ? 0 : -ENOMEM;
}

void keys_end_rests(struct keys *k)
{
    if (k->rests)
        region_release(k->rests, k->keys_max * sizeof(*k->rests));
}

static void rest_begin(struct keys *k, uint32_t key)
{
    struct key_rest *r = &k->rests[key];

    k->place[key] = KEY_IN_RESTING;
    *r = (struct key_rest){.before = k->rest_last, .since = k->clock};
    if (k->rest_last)
        k->rests[k->rest_last - 1].behind = key + 1;
    else
        k->rest_first = key + 1;
    k->rest_last = key + 1;
}

void keys_rest_end(struct keys *k, uint32_t key)
{
    const struct key_rest *r = &k->rests[key];

    assert(k->place[key] == KEY_IN_RESTING);
    k->place[key] = KEY_IN_NONE;
    if (r->before)
        k->rests[r->before - 1].behind = r->behind;
    else
        k->rest_first = r->behind;
    if (r->behind)
        k->rests[r->behind - 1].before = r->before;
    else
        k->rest_last = r->before;
}

void keys_touch(struct keys *k, uint32_t key)
{
    bool rests = k->rests && (k->place[key] == KEY_IN_NONE || k->place[key] == KEY_IN_RESTING);

    if (!rests || keys_unstored(k, key) >= HITS_ENOUGH) {
        keys_push_dirty(k, key);
        return;
    }
    k->used[key] = k->clock;
    if (k->place[key] == KEY_IN_NONE)
        rest_begin(k, key);
}

void keys_wake_rested(struct keys *k)
{
    while (k->rest_first && k->clock - k->rests[k->rest_first - 1].since >= k->rest_for)
        keys_push_dirty(k, k->rest_first - 1);
}

void keys_wake_all(struct keys *k)
{
    while (k->rest_first)
        keys_push_dirty(k, k->rest_first - 1);
}

void keys_wake_cell(struct keys *k, uint32_t shard, uint32_t cell)
{
    uint32_t key = totals_of_cell(k->totals, shard, cell);

    if (key != KEY_NONE && k->place[key] == KEY_IN_RESTING)
        keys_push_dirty(k, key);
}
