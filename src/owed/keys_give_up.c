/* What was counted and will never be sent: another process stores it, or the store has it already. */
#include <errno.h>
#include <stdlib.h>

#include "owed/keys_inside.h"
#include "tally/shard.h"
#include "tally/totals.h"

int keys_inherit(struct keys *k)
{
    for (uint32_t i = 0; i < k->shards_count; i++) {
        struct keys_shard *s = &k->shards[i];
        uint32_t cells = shard_cells(s->shard);
        if (cells == 0)
            continue;
        s->inherited = malloc(cells * sizeof(s->inherited[0]));
        if (!s->inherited)
            return -ENOMEM;
        s->inherited_cells = cells;
        for (uint32_t cell = 0; cell < cells; cell++)
            s->inherited[cell] = shard_count(s->shard, cell);
    }
    return 0;
}

static bool cell_is_of(const struct keys *k, const struct keys_shard *s, uint32_t cell, uint32_t partition)
{
    struct slice name = shard_name(s->shard, cell);

    /* A name that a worker gives to a vacant cell just now is not of before. */
    return name.bytes && keyspace_partition(k->space, name) == partition;
}

/* Of one cell, what is beyond the baseline up to `all`. */
static uint64_t give_up_cell(const struct keys *k, struct keys_shard *s, uint32_t cell, uint64_t all,
                             uint32_t partition)
{
    uint64_t base = shard_baseline(s->shard, cell);

    if (base >= all || !cell_is_of(k, s, cell, partition))
        return 0;
    shard_set_baseline(s->shard, cell, all);
    return all - base;
}

uint64_t keys_give_up_inherited(struct keys *k, uint32_t partition)
{
    uint64_t hits = 0;

    for (struct keys_shard *s = k->shards; s < k->shards + k->shards_count; s++) {
        for (uint32_t cell = 0; cell < s->inherited_cells; cell++)
            hits += give_up_cell(k, s, cell, s->inherited[cell], partition);
    }
    return hits;
}

uint64_t keys_waiting(const struct keys *k)
{
    uint64_t hits = 0;

    for (const struct keys_shard *s = k->shards; s < k->shards + k->shards_count; s++) {
        for (uint32_t cell = 0, cells = shard_cells(s->shard); cell < cells; cell++)
            hits += shard_count(s->shard, cell) - shard_baseline(s->shard, cell);
    }
    return hits;
}

uint64_t keys_pending_of(const struct keys *k, uint32_t partition)
{
    uint64_t hits = 0;

    for (const struct keys_shard *s = k->shards; s < k->shards + k->shards_count; s++) {
        for (uint32_t cell = 0, cells = shard_cells(s->shard); cell < cells; cell++) {
            uint64_t pending = shard_count(s->shard, cell) - shard_baseline(s->shard, cell);
            hits += pending && cell_is_of(k, s, cell, partition) ? pending : 0;
        }
    }
    return hits;
}

uint64_t keys_give_up_pending(struct keys *k, uint32_t partition, uint64_t *unheld)
{
    uint64_t hits = 0;

    *unheld = 0;
    for (uint32_t i = 0; i < k->shards_count; i++) {
        struct keys_shard *s = &k->shards[i];
        for (uint32_t cell = 0, cells = shard_cells(s->shard); cell < cells; cell++) {
            uint64_t given_up = give_up_cell(k, s, cell, shard_count(s->shard, cell), partition);
            uint32_t key = given_up ? totals_of_cell(k->totals, i, cell) : KEY_NONE;
            *unheld += key != KEY_NONE ? keys_unhold(k, key) : 0;
            hits += given_up;
        }
    }
    return hits;
}
