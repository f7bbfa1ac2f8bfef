#include "tally/import.h"
#include "tally/shard.h"

#include <errno.h>

struct walk {
    const struct state_old *old;
    bool embedded; /* the new run */
    uint64_t damaged;
};

typedef int (*cell_fn)(void *ctx, struct slice name, uint64_t hits);

/* Without a store behind it, an old run's counts were all there is of them, whatever its baselines say. Nothing is
 * forgotten then; of a cell that was used again, only what is not stored belongs to the name. */
static uint64_t pending_of(const struct walk *w, const struct state_cell_view *cell)
{
    if (cell->reused)
        return cell->count - cell->baseline;
    return w->embedded || w->old->header.geometry.embedded ? cell->count : cell->count - cell->baseline;
}

static int walk_shard(struct walk *w, uint32_t shard, cell_fn fn, void *ctx)
{
    bool whole;
    uint32_t cells = state_old_cells(w->old, shard, &whole);
    int failed = 0;

    w->damaged += whole ? 0 : 1;
    for (uint32_t i = 0; i < cells && !failed; i++) {
        struct state_cell_view cell;
        enum state_cell what = state_old_cell(w->old, shard, i, &cell);
        if (what == STATE_CELL_DAMAGED)
            w->damaged++;
        else if (what == STATE_CELL_WHOLE && pending_of(w, &cell))
            failed = fn(ctx, cell.name, pending_of(w, &cell));
    }
    return failed;
}

static int walk_all(struct walk *w, cell_fn fn, void *ctx)
{
    int failed = 0;

    for (uint32_t i = 0; i < w->old->header.geometry.workers && !failed; i++)
        failed = walk_shard(w, i, fn, ctx);
    return failed;
}

static int count_name(void *ctx, struct slice name, uint64_t hits)
{
    uint64_t *names = ctx;
    (void)name;
    (void)hits;

    ++*names;
    return 0;
}

uint32_t import_names(const struct state_old *old, bool embedded)
{
    struct walk w = {.old = old, .embedded = embedded};
    uint64_t names = 0;

    walk_all(&w, count_name, &names);
    return names < SHARD_CELLS_MAX ? (uint32_t)names : SHARD_CELLS_MAX;
}

struct importer {
    struct tally *tally;
    import_condemns condemns;
    void *ctx;
    struct import *out;
};

static int take(void *ctx, struct slice name, uint64_t hits)
{
    struct importer *im = ctx;
    struct import *out = im->out;
    uint32_t worker, cell;

    if (im->condemns && im->condemns(im->ctx, name)) {
        out->condemned++;
        out->condemned_hits += hits;
        return 0;
    }
    bool known = tally_find(im->tally, name, &worker, &cell);
    int failed = tally_take_over(im->tally, (uint32_t)(out->names % tally_workers(im->tally)), name, hits);
    if (failed == -EOVERFLOW) { /* sums of several cells; no one has ever counted so far */
        out->damaged++;
        return 0;
    }
    if (!failed) {
        out->names += known ? 0 : 1;
        out->hits += hits;
    }
    return failed;
}

int import_run(struct tally *t, const struct state_old *old, bool embedded, import_condemns condemns, void *ctx,
               struct import *out)
{
    struct walk w = {.old = old, .embedded = embedded};
    struct importer im = {.tally = t, .condemns = condemns, .ctx = ctx, .out = out};

    *out = (struct import){0};
    int failed = walk_all(&w, take, &im);
    out->damaged += w.damaged;
    return failed;
}
