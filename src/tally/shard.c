#include "tally/shard.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/word.h"
#include "sync/atomic.h"
#include "sync/barrier.h"
#include "sync/spsc_u32.h"
#include "tally/index.h"
#include "tally/name.h"
#include "tally/seal.h"
#include "tally/storage.h"
#include "tally/vacancy.h"

#define SETTLE_STEPS 16 /* of the index, with each try to take something out of it */

struct shard {
    /* what every hit and every reader needs, on one cache line; constant, but for the index when it grows */
    struct cell *cells_at __attribute__((aligned(64))); /* the storage's, as is names_at */
    char *names_at;
    struct siphash_key hash_key;
    struct index index;
    struct spsc_u32 *touched; /* owned; worker pushes, flusher pops */

    /* what a new name needs */
    struct storage storage;
    uint32_t cells;       /* worker writes, any thread reads: so many are whole */
    uint32_t names_units; /* worker only */
    struct vacancy vacancy;

    /* written at every hit, away from what readers need: worker writes, any thread reads */
    uint64_t sum __attribute__((aligned(64)));
};
_Static_assert(offsetof(struct shard, storage) == 64, "a line for the hot part");

uint64_t shard_names_units_max(uint32_t cells_max)
{
    uint64_t units = cells_max * (uint64_t)state_name_units(NAME_BYTES_MAX);

    return units < UINT32_MAX ? units : UINT32_MAX;
}

static int shard_storage_init(struct storage *st, const struct shard_config *config)
{
    if (config->storage) {
        *st = *config->storage;
        return 0;
    }
    uint64_t units = config->names_bytes_max / NAME_UNIT;
    return storage_init(st, config->cells_max, units ? units : shard_names_units_max(config->cells_max));
}

int shard_create(struct shard **out, const struct shard_config *config)
{
    if (config->cells_max == 0 || config->cells_max > SHARD_CELLS_MAX)
        return -EINVAL;
    struct shard *s = aligned_alloc(_Alignof(struct shard), sizeof(*s));
    if (!s)
        return -ENOMEM;
    *s = (struct shard){.hash_key = config->hash_key};

    int failed = shard_storage_init(&s->storage, config);
    if (failed)
        goto free_shard;
    s->cells_at = s->storage.cells;
    s->names_at = s->storage.names;
    failed = spsc_u32_create(&s->touched, config->cells_max);
    if (failed)
        goto free_storage;
    failed = index_init(&s->index, config->cells_max);
    if (failed)
        goto free_touched;
    failed = vacancy_init(&s->vacancy, s->storage.names, config->cells_max);
    if (failed)
        goto free_index;
    *out = s;
    return 0;

free_index:
    index_fini(&s->index);
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
    vacancy_fini(&s->vacancy);
    index_fini(&s->index);
    spsc_u32_destroy(s->touched);
    storage_fini(&s->storage);
    free(s);
}

uint64_t shard_hash(const struct shard *s, struct slice name) { return siphash13(&s->hash_key, name.at, name.bytes); }

struct slice shard_name(const struct shard *s, uint32_t cell)
{
    const struct cell *c = &s->cells_at[cell];

    return (struct slice){s->names_at + (size_t)c->name_at * NAME_UNIT, c->name_bytes};
}

/* Not memcmp(), whose call takes longer than to compare a name. */
static inline bool name_equals(struct slice a, struct slice b)
{
    size_t i = 0;

    if (a.bytes != b.bytes)
        return false;
    for (; i + 8 < a.bytes; i += 8)
        if (word64_load(a.at + i) != word64_load(b.at + i))
            return false;
    if (a.bytes >= 8)
        return word64_load(a.at + a.bytes - 8) == word64_load(b.at + a.bytes - 8);
    while (i < a.bytes && a.at[i] == b.at[i])
        i++;
    return i == a.bytes;
}

uint32_t shard_find(const struct shard *s, struct slice name, uint64_t hash)
{
    struct index_probe probe = index_probe(&s->index, hash);
    uint32_t cell;

    do
        cell = index_next(&probe);
    while (cell != INDEX_NONE && !name_equals(shard_name(s, cell), name));
    return cell;
}
_Static_assert(INDEX_NONE == SHARD_CELL_NONE && INDEX_ITEMS_MAX >= SHARD_CELLS_MAX, "a cell is an item of the index");

/* ---- names that come ---- */

/* Room for a name, in units. SHARD_CELL_NONE or SHARD_CELL_NO_SPACE when there is none. */
static uint32_t room_take(struct shard *s, uint32_t units)
{
    struct storage *st = &s->storage;
    uint32_t at = vacancy_take_room(&s->vacancy, units);
    bool full = units > st->names_units_max - s->names_units;

    if (at != VACANCY_NONE)
        return at;
    if (!full && storage_has_room(st, 0, s->names_units + units)) {
        s->names_units += units;
        return s->names_units - units;
    }
    at = vacancy_split_room(&s->vacancy, units);
    return at != VACANCY_NONE ? at : full ? SHARD_CELL_NONE : SHARD_CELL_NO_SPACE;
}

static struct cell name_write(struct shard *s, uint32_t cell, uint32_t at, struct slice name)
{
    struct storage *st = &s->storage;
    struct cell c = {.count = seal(0), .name_at = at + 1, .name_bytes = (uint16_t)name.bytes};
    char *to = st->names + (size_t)at * NAME_UNIT;
    uint32_t sum = state_name_sum(st->shard, cell, &c, name.at);

    memcpy(to, &sum, sizeof(sum));
    memcpy(to + NAME_UNIT, name.at, name.bytes);
    return c;
}

static void cell_begin(struct shard *s, uint32_t cell, const struct cell *c)
{
    struct storage *st = &s->storage;

    st->baselines[cell] = seal(0);
    st->cells[cell] = *c;
    spsc_u32_reserve(s->touched, cell + 1); /* each cell is in it at most once */
    store_release_u32(&s->cells, cell + 1); /* partner: shard_cells() */
    if (st->live_cells)
        store_release_u64(st->live_cells, seal(cell + 1)); /* partner: the recovery after a kill -9 */
}

static void cell_begin_again(struct shard *s, uint32_t cell, struct cell c)
{
    c.flags |= CELL_REUSED;
    vacancy_take_cell(&s->vacancy);
    /* partner: the recovery after a kill -9, which finds the name whole or the cell vacant */
    store_release_u64(cell_name_word(&s->storage.cells[cell]), *cell_name_word(&c));
}

uint32_t shard_intern(struct shard *s, struct slice name, uint64_t hash, bool placed)
{
    struct storage *st = &s->storage;
    uint32_t cell = vacancy_cell(&s->vacancy), at;
    bool again = cell != VACANCY_NONE;

    assert(name.bytes > 0 && name.bytes <= NAME_BYTES_MAX);
    if (!again)
        cell = s->cells;
    if (cell == st->cells_max)
        return SHARD_CELL_NONE;
    if (!again && !storage_has_room(st, cell, s->names_units))
        return SHARD_CELL_NO_SPACE;
    at = room_take(s, state_name_units((uint32_t)name.bytes));
    if (at >= SHARD_CELL_NO_SPACE)
        return at;
    struct cell c = name_write(s, cell, at, name);
    c.flags = placed ? CELL_PLACED : 0;
    if (again)
        cell_begin_again(s, cell, c);
    else
        cell_begin(s, cell, &c);
    index_insert(&s->index, hash, cell);
    return cell;
}

bool shard_is_placed(const struct shard *s, uint32_t cell)
{
    /* Written by the worker before the index had the cell. */
    return s->cells_at[cell].flags & CELL_PLACED;
}

/* ---- names that go ---- */

/* What the flusher has seen of the cell may be old. Here, in the worker, nothing is hit meanwhile. */
bool shard_unlink(struct shard *s, uint32_t cell)
{
    const struct cell *c = &s->cells_at[cell];
    uint64_t count = seal_number(c->count);

    if (load_relaxed_u8(&c->queued) || count != shard_baseline(s, cell) || count > SHARD_COUNT_PARTS_MAX)
        return false;
    if (!index_settle(&s->index, SETTLE_STEPS))
        return false;
    index_remove(&s->index, shard_hash(s, shard_name(s, cell)), cell);
    return true;
}

void shard_vacate(struct shard *s, uint32_t cell)
{
    struct cell *c = &s->cells_at[cell];
    uint32_t at = c->name_at - 1, units = state_name_units(c->name_bytes);

    assert(c->name_at && c->name_bytes);
    store_release_u64(cell_name_word(c), 0); /* partner: the recovery after a kill -9 */
    vacancy_put_room(&s->vacancy, at, units);
    vacancy_put_cell(&s->vacancy, cell);
}

/* No hit is left unreported. The worker stores the count and then loads `queued`; the flusher stores
 * queued = 0 and then loads the count, with barrier_heavy() in between, which puts a full fence into
 * the worker at some instruction. If the worker's load came before that fence, so did its store, and
 * the flusher's later load sees the hit. If it came after, it sees queued = 0, and the cell is queued
 * again. Hence a compiler barrier suffices here, where otherwise each hit would pay for a full fence. */
bool shard_add(struct shard *s, uint32_t cell, uint64_t n)
{
    struct cell *c = &s->cells_at[cell];
    uint64_t count = c->count;

    if (!seal_add(&count, n))
        return false;
    store_relaxed_u64(&c->count, count); /* relaxed because it publishes nothing but itself */
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
    store_relaxed_u8(&s->cells_at[*cell].queued, 0); /* partner: shard_add(); ordered by barrier_heavy() */
    return true;
}

uint32_t shard_cells(const struct shard *s) { return load_acquire_u32(&s->cells); /* partner: shard_intern() */ }

uint64_t shard_count(const struct shard *s, uint32_t cell)
{
    return seal_number(load_relaxed_u64(&s->cells_at[cell].count)); /* partner: shard_add() */
}

uint64_t shard_growth(const struct shard *s, uint32_t cell)
{
    uint64_t baseline = shard_baseline(s, cell);

    fence_loads(); /* the baseline grows, and never past the count */
    return shard_count(s, cell) - (s->cells_at[cell].flags & CELL_REUSED ? baseline : 0);
}

/* Written by the worker before the cell was published, by the flusher after. */
uint64_t shard_baseline(const struct shard *s, uint32_t cell)
{
    return seal_number(load_relaxed_u64(&s->storage.baselines[cell])); /* partner: shard_set_baseline() */
}

void shard_set_baseline(struct shard *s, uint32_t cell, uint64_t to)
{
    /* As one store: a killed process leaves the old or the new one. */
    store_relaxed_u64(&s->storage.baselines[cell], seal(to));
}

uint64_t shard_sum(const struct shard *s) { return stat_read(&s->sum); }
