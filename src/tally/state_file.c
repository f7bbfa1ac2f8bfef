#include "tally/state_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/atomic.h"
#include "tally/seal.h"

struct state_file {
    struct state_file_config config;
    struct state_plan plan;
    char *base;
    bool committed;
};

/* What every run needs, and the first chunks of each shard: known to be there before the first hit. */
static int allocate_minimum(struct state_file *f, uint64_t *need)
{
    const struct state_disk *disk = f->config.disk;
    uint32_t chunk = f->config.chunk_bytes;

    *need = f->plan.shards + f->config.geometry.workers * (uint64_t)chunk * 5 / 2;
    int failed = disk->allocate(disk->ctx, 0, f->plan.shards);
    for (uint32_t i = 0; !failed && i < f->config.geometry.workers; i++) {
        struct storage st;
        state_file_storage(f, i, &st);
        failed = storage_has_room(&st, 0, 1) ? 0 : -ENOSPC;
    }
    return failed;
}

static void write_start(struct state_file *f)
{
    struct state_header header;
    struct state_origin origin;

    f->config.disk->origin(f->config.disk->ctx, &origin);
    state_header_make(&header, &f->config.geometry, f->config.boot_id, &origin);
    memcpy(f->base, &header, sizeof(header));
    memcpy(f->base + STATE_PAGE / 2, &header, sizeof(header));
    for (uint32_t i = 0; i <= f->config.geometry.workers; i++)
        *(uint64_t *)(void *)(f->base + state_live_at(&f->plan, i)) = seal(0);
}
_Static_assert(sizeof(struct state_header) <= STATE_PAGE / 2, "two headers in a page");

int state_file_create(struct state_file **out, const struct state_file_config *config, struct error *err)
{
    struct state_file *f = calloc(1, sizeof(*f));
    void *base = NULL;
    uint64_t need = 0;

    if (!f)
        return error_set(err, -ENOMEM, "no memory for the state file");
    f->config = *config;
    int failed = state_plan_make(&config->geometry, &f->plan) ? 0 : -EINVAL;
    if (!failed)
        failed = config->disk->create(config->disk->ctx, f->plan.bytes, &base);
    if (failed)
        error_set(err, failed, "cannot make a state file of %llu bytes of address space in --state-dir: %s",
                  (unsigned long long)f->plan.bytes, strerror(-failed));
    f->base = base;
    if (!failed && (failed = allocate_minimum(f, &need)))
        error_set(err, failed,
                  "--state-dir has no room for the state file, %llu KiB to begin with: %s; enlarge it (tmpfs: size=), "
                  "or lower --workers",
                  (unsigned long long)need / 1024, strerror(-failed));
    if (failed) {
        state_file_close(f, false);
        return failed;
    }
    write_start(f);
    *out = f;
    return 0;
}

const struct state_geometry *state_file_geometry(const struct state_file *f) { return &f->config.geometry; }

void state_file_storage(const struct state_file *f, uint32_t shard, struct storage *out)
{
    uint64_t at = state_shard_at(&f->plan, shard);
    char *base = f->base + at;

    *out = (struct storage){
        .cells = (struct cell *)(void *)base,
        .baselines = (uint64_t *)(void *)(base + f->plan.baselines),
        .names = base + f->plan.names,
        .shard = shard,
        .cells_max = f->config.geometry.cells_max,
        .names_units_max = f->config.geometry.names_units_max,
        .disk = f->config.disk,
        .at = at,
        .plan = f->plan,
        .live_cells = (uint64_t *)(void *)(f->base + state_live_at(&f->plan, 1 + shard)),
        .chunk_bytes = f->config.chunk_bytes,
    };
}

void *state_file_journal(const struct state_file *f, uint32_t partition)
{
    return f->base + f->plan.journals + (uint64_t)partition * f->config.geometry.journal_bytes;
}

int state_file_commit(struct state_file *f)
{
    int failed = f->config.disk->commit(f->config.disk->ctx);

    f->committed = !failed;
    return failed;
}

/* The mark of an orderly end, only when all else is on the medium. */
static int mark_orderly(struct state_file *f)
{
    const struct state_disk *disk = f->config.disk;
    int failed = disk->sync(disk->ctx);

    if (failed)
        return failed;
    store_relaxed_u64((uint64_t *)(void *)(f->base + f->plan.live), seal(1));
    return disk->sync(disk->ctx);
}

int state_file_close(struct state_file *f, bool orderly)
{
    if (!f)
        return 0;
    const struct state_disk *disk = f->config.disk;
    int failed = orderly && f->committed ? mark_orderly(f) : 0;
    disk->close(disk->ctx);
    free(f);
    return failed;
}
