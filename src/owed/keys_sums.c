/* Which namespace's total a key is part of, and what of each is not stored yet (owed/sums.h). */
#include <errno.h>
#include <string.h>

#include "base/region.h"
#include "owed/keys_inside.h"
#include "tally/shard.h"
#include "tally/totals.h"

int keys_keep_sums(struct keys *k)
{
    k->sum = region_reserve((size_t)k->keys_max * sizeof(*k->sum));
    return k->sum ? sums_create(&k->sums, k->space->partitions) : -ENOMEM;
}

/* Their namespaces come first, so a number says whether there is a top. */
int keys_keep_tops(struct keys *k, const char *namespaces, uint32_t kept)
{
    for (bool more = *namespaces; more; namespaces++) {
        struct slice ns = {namespaces, strcspn(namespaces, ",")};
        sums_intern(k->sums, ns);
        namespaces += ns.bytes;
        more = *namespaces == ',';
    }
    return tops_create(&k->tops, sums_count(k->sums), k->space->partitions, kept);
}

struct tops *keys_tops(const struct keys *k) { return k->tops; }

struct top *keys_top(const struct keys *k, uint32_t key)
{
    return k->tops && k->sum[key] < tops_namespaces(k->tops) ? tops_at(k->tops, k->sum[key], k->partition[key]) : NULL;
}

/* By its name, as a cell that leaves is not to be a key again. */
static uint32_t find_top(struct keys *k, uint32_t shard, uint32_t cell)
{
    struct slice name = shard_name(k->shards[shard].shard, cell);
    bool top = name.bytes && sums_find(k->sums, name_ns(name)) < tops_namespaces(k->tops);

    return top ? keys_find(k, name) : KEY_NONE;
}

uint32_t keys_next_inherited_top(struct keys *k, uint32_t *shard, uint32_t *cell)
{
    uint32_t key = KEY_NONE;

    for (; *shard < k->shards_count && key == KEY_NONE; *shard += key == KEY_NONE, *cell = key == KEY_NONE ? 0 : *cell)
        while (*cell < k->shards[*shard].inherited_cells && key == KEY_NONE)
            key = find_top(k, *shard, (*cell)++);
    return key;
}

struct sums *keys_sums(const struct keys *k) { return k->sums; }
uint16_t keys_sum(const struct keys *k, uint32_t key) { return k->sums ? k->sum[key] : SUM_NONE; }

void keys_note_sum(struct keys *k, uint32_t key, struct slice name)
{
    uint16_t sum = k->sums ? sums_intern(k->sums, name_ns(name)) : SUM_NONE;

    /* Zeroes are there already; to write them would make the column resident. */
    if (k->sums && k->sum[key] != sum)
        k->sum[key] = sum;
}

/* A cell that no flush has met yet is known by its name. */
static uint16_t sum_of_cell(const struct keys *k, uint32_t shard, uint32_t cell)
{
    uint32_t key = totals_of_cell(k->totals, shard, cell);
    struct slice name = key == KEY_NONE ? shard_name(k->shards[shard].shard, cell) : (struct slice){0};

    if (key != KEY_NONE)
        return k->sum[key];
    return name.bytes ? sums_intern(k->sums, name_ns(name)) : SUM_NONE;
}

static void look_at_shard(struct keys *k, uint32_t shard)
{
    const struct shard *s = k->shards[shard].shard;

    for (uint32_t cell = 0, cells = shard_cells(s); cell < cells; cell++) {
        uint64_t pending = shard_count(s, cell) - shard_baseline(s, cell);
        uint16_t sum = pending ? sum_of_cell(k, shard, cell) : SUM_NONE;
        if (sum != SUM_NONE)
            sums_namespace(k->sums, sum)->pending += pending;
    }
}

void keys_look(struct keys *k)
{
    for (uint32_t ns = 0; ns < SUMS_NAMESPACES_MAX; ns++)
        sums_namespace(k->sums, (uint16_t)ns)->pending = 0;
    for (uint32_t shard = 0; shard < k->shards_count; shard++)
        look_at_shard(k, shard);
    for (uint32_t ns = 0; ns < sums_count(k->sums); ns++) {
        struct sum_namespace *n = sums_namespace(k->sums, (uint16_t)ns);
        n->looked = 0;
        for (uint32_t p = 0; p < sums_partitions(k->sums); p++)
            n->looked += sums_at(k->sums, (uint16_t)ns, p)->stored;
    }
}
