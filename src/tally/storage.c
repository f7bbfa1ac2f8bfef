#include "tally/storage.h"

#include <errno.h>

#include "base/region.h"

/* A flood of new names into a full file system must not make a system call each. */
#define REFUSALS_BEFORE_RETRY 255

int storage_init(struct storage *st, uint32_t cells_max, uint64_t names_units_max)
{
    uint32_t units = names_units_max < UINT32_MAX ? (uint32_t)names_units_max : UINT32_MAX;

    *st = (struct storage){
        .cells = region_reserve(cells_max * sizeof(struct cell)),
        .baselines = region_reserve(cells_max * sizeof(uint64_t)),
        .names = region_reserve((size_t)units * NAME_UNIT),
        .cells_max = cells_max,
        .cells_ready = cells_max,
        .names_units_max = units,
        .names_units_ready = units,
    };
    if (st->cells && st->baselines && st->names)
        return 0;
    storage_fini(st);
    return -ENOMEM;
}

void storage_fini(struct storage *st)
{
    if (st->disk)
        return; /* the file's */
    region_release(st->cells, st->cells_max * sizeof(struct cell));
    region_release(st->baselines, st->cells_max * sizeof(uint64_t));
    region_release(st->names, (size_t)st->names_units_max * NAME_UNIT);
}

static uint32_t smaller(uint64_t a, uint32_t b) { return a < b ? (uint32_t)a : b; }

static bool storage_allocate(const struct storage *st, uint64_t at, uint64_t bytes)
{
    return st->disk->allocate(st->disk->ctx, st->at + at, bytes) == 0;
}

static bool storage_grow_cells(struct storage *st)
{
    uint32_t ready = st->cells_ready, chunk = st->chunk_bytes / sizeof(struct cell);
    uint32_t more = smaller((uint64_t)ready + chunk, st->cells_max) - ready;

    if (!storage_allocate(st, (uint64_t)ready * sizeof(struct cell), (uint64_t)more * sizeof(struct cell)) ||
        !storage_allocate(st, st->plan.baselines + (uint64_t)ready * sizeof(uint64_t),
                          (uint64_t)more * sizeof(uint64_t)))
        return false;
    st->cells_ready += more;
    return true;
}

static bool storage_grow_names(struct storage *st)
{
    uint32_t ready = st->names_units_ready, chunk = st->chunk_bytes / NAME_UNIT;
    uint32_t more = smaller((uint64_t)ready + chunk, st->names_units_max) - ready;

    if (!storage_allocate(st, st->plan.names + (uint64_t)ready * NAME_UNIT, (uint64_t)more * NAME_UNIT))
        return false;
    st->names_units_ready += more;
    return true;
}

bool storage_has_room(struct storage *st, uint32_t cell, uint32_t names_units)
{
    if (cell < st->cells_ready && names_units <= st->names_units_ready)
        return true;
    if (st->refusals_left) {
        st->refusals_left--;
        return false;
    }
    bool ok = true;
    while (ok && cell >= st->cells_ready)
        ok = storage_grow_cells(st);
    while (ok && names_units > st->names_units_ready)
        ok = storage_grow_names(st);
    if (!ok)
        st->refusals_left = REFUSALS_BEFORE_RETRY;
    return ok;
}
