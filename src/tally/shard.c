#include "tally/shard.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/region.h"
#include "sync/atomic.h"
#include "sync/barrier.h"
#include "sync/spsc.h"
#include "tally/index.h"
#include "tally/name.h"

#define NAME_UNIT 4 /* names start at multiples of it, so that 32 bits reach 16 GiB of them */

struct cell {
    uint64_t count;   /* worker writes, any thread reads */
    uint32_t name_at; /* in units; constant once the cell is published, as is name_bytes */
    uint16_t name_bytes;
    uint8_t queued; /* worker sets, flusher clears */
    uint8_t unused;
};
_Static_assert(sizeof(struct cell) == 16, "four cells a cache line");

/* What the cells are made of. The only place that knows where it lies: a state file maps the same arrays. */
struct storage {
    struct cell *cells; /* owned region, cells_max of them */
    char *names;        /* owned region, append-only */
    uint32_t cells_max;
    uint32_t names_units_max;
};

struct shard {
    /* what every hit and every reader needs, on one cache line; constant, but for the index when it grows */
    struct storage storage __attribute__((aligned(64)));
    struct siphash_key hash_key;
    struct index index;

    /* what a new name or a first touch needs */
    struct spsc_u32 *touched; /* owned; worker pushes, flusher pops */
    uint32_t cells;           /* worker writes, any thread reads: so many are whole */
    uint32_t names_units;     /* worker only */

    /* written at every hit, away from what readers need: worker writes, any thread reads */
    uint64_t sum __attribute__((aligned(64)));
};
_Static_assert(offsetof(struct shard, touched) == 64, "a line for the hot part");

static uint64_t units_of(uint64_t bytes) { return (bytes + NAME_UNIT - 1) / NAME_UNIT; }

static void storage_fini(struct storage *st)
{
    region_release(st->cells, st->cells_max * sizeof(struct cell));
    region_release(st->names, (size_t)st->names_units_max * NAME_UNIT);
}

static int storage_init(struct storage *st, const struct shard_config *config)
{
    uint64_t units =
        config->names_bytes_max ? units_of(config->names_bytes_max) : config->cells_max * units_of(NAME_BYTES_MAX);

    st->cells_max = config->cells_max;
    st->names_units_max = units < UINT32_MAX ? (uint32_t)units : UINT32_MAX;
    st->cells = region_reserve(st->cells_max * sizeof(struct cell));
    st->names = region_reserve((size_t)st->names_units_max * NAME_UNIT);
    if (st->cells && st->names)
        return 0;
    storage_fini(st);
    return -ENOMEM;
}

/* Each cell is in the queue at most once, so it never fills. */
static int touched_create(struct spsc_u32 **out, uint32_t cells_max)
{
    uint32_t capacity = 2;

    while (capacity <= cells_max)
        capacity *= 2;
    return spsc_u32_create(out, capacity);
}

int shard_create(struct shard **out, const struct shard_config *config)
{
    if (config->cells_max == 0 || config->cells_max > SHARD_CELLS_MAX)
        return -EINVAL;
    struct shard *s = aligned_alloc(_Alignof(struct shard), sizeof(*s));
    if (!s)
        return -ENOMEM;
    *s = (struct shard){.hash_key = config->hash_key};

    int failed = storage_init(&s->storage, config);
    if (failed)
        goto free_shard;
    failed = touched_create(&s->touched, config->cells_max);
    if (failed)
        goto free_storage;
    failed = index_init(&s->index, config->cells_max);
    if (failed)
        goto free_touched;
    *out = s;
    return 0;

free_touched:
    spsc_u32_destroy(s->touched);
free_storage:
    storage_fini(&s->storage);
free_shard:
    free(s);
    return failed;
}

void shard_destroy(struct shard *s)
{
    if (!s)
        return;
    index_fini(&s->index);
    spsc_u32_destroy(s->touched);
    storage_fini(&s->storage);
    free(s);
}

uint64_t shard_hash(const struct shard *s, struct slice name) { return siphash13(&s->hash_key, name.at, name.bytes); }

struct slice shard_name(const struct shard *s, uint32_t cell)
{
    const struct cell *c = &s->storage.cells[cell];

    return (struct slice){s->storage.names + (size_t)c->name_at * NAME_UNIT, c->name_bytes};
}

uint32_t shard_find(const struct shard *s, struct slice name, uint64_t hash)
{
    struct index_probe probe = index_probe(&s->index, hash);
    uint32_t cell;

    do
        cell = index_next(&probe);
    while (cell != INDEX_NONE && !slice_equals(shard_name(s, cell), name));
    return cell;
}
_Static_assert(INDEX_NONE == SHARD_CELL_NONE && INDEX_ITEMS_MAX >= SHARD_CELLS_MAX, "a cell is an item of the index");

uint32_t shard_intern(struct shard *s, struct slice name, uint64_t hash)
{
    struct storage *st = &s->storage;
    uint32_t units = (uint32_t)units_of(name.bytes);

    assert(name.bytes > 0 && name.bytes <= UINT16_MAX);
    if (s->cells == st->cells_max || units > st->names_units_max - s->names_units)
        return SHARD_CELL_NONE;

    uint32_t cell = s->cells;
    st->cells[cell] = (struct cell){.name_at = s->names_units, .name_bytes = (uint16_t)name.bytes};
    memcpy(st->names + (size_t)s->names_units * NAME_UNIT, name.at, name.bytes);
    s->names_units += units;
    store_release_u32(&s->cells, cell + 1); /* partner: shard_cells() */
    index_insert(&s->index, hash, cell);
    return cell;
}

/* No hit is left unreported. The worker stores the count and then loads `queued`; the flusher stores
 * queued = 0 and then loads the count, with barrier_heavy() in between, which puts a full fence into
 * the worker at some instruction. If the worker's load came before that fence, so did its store, and
 * the flusher's later load sees the hit. If it came after, it sees queued = 0, and the cell is queued
 * again. Hence a compiler barrier suffices here, where otherwise each hit would pay for a full fence. */
bool shard_add(struct shard *s, uint32_t cell, uint64_t n)
{
    struct cell *c = &s->storage.cells[cell];

    if (n > INT64_MAX - c->count)
        return false;
    store_relaxed_u64(&c->count, c->count + n); /* relaxed because it publishes nothing but itself */
    stat_add(&s->sum, n);
    barrier_light();                     /* partner: barrier_heavy() of the flusher */
    if (!load_relaxed_u8(&c->queued)) {  /* partner: shard_take_touched() */
        store_relaxed_u8(&c->queued, 1); /* before the push, which releases it to the flusher */
        bool pushed = spsc_u32_push(s->touched, cell);
        assert(pushed);
    }
    return true;
}

bool shard_take_touched(struct shard *s, uint32_t *cell)
{
    if (!spsc_u32_pop(s->touched, cell))
        return false;
    store_relaxed_u8(&s->storage.cells[*cell].queued, 0); /* partner: shard_add(); ordered by barrier_heavy() */
    return true;
}

uint32_t shard_cells(const struct shard *s) { return load_acquire_u32(&s->cells); /* partner: shard_intern() */ }

uint64_t shard_count(const struct shard *s, uint32_t cell)
{
    return load_relaxed_u64(&s->storage.cells[cell].count); /* partner: shard_add() */
}

uint64_t shard_sum(const struct shard *s) { return stat_read(&s->sum); }
