#include "recovery/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "ledger/journal.h"
#include "owed/keyspace.h"
#include "tally/shard.h"

/* What became of a partition of the old run. */
struct past {
    struct journal_view view;
    bool condemned; /* nothing that it has pending may be sent */
};

struct run {
    const struct recovery_config *config;
    struct recovery *out;
    struct keyspace space;
    struct state_old old;
    struct past *pasts; /* of the old run's partitions; NULL: there are none to go by */
    uint32_t pasts_count;
    bool same_keys; /* the old run made the same keys and ledgers of the same names */
    bool condemned; /* nothing at all may be sent */
};

/* Names, keys and ledgers fit together only as long as this does not change. */
static uint32_t keys_check(const struct recovery_config *c)
{
    return crc32c(crc32c(0, &c->options->partitions, sizeof(c->options->partitions)), c->options->prefix,
                  strlen(c->options->prefix));
}

/* ---- what was open ---- */

/* From and to of every part, into the old file's cells. `undo`: as if the batch had not been made; else as if it had
 * been stored. false: the file contradicts the record. */
static bool apply_record(struct run *r, const struct journal_record *record, bool undo)
{
    for (uint32_t i = 0; i < record->parts_count; i++) {
        const struct journal_part *p = &record->parts[i];
        uint32_t shard = journal_part_shard(p), cell = journal_part_cell(p);
        if (!state_old_name(&r->old, shard, cell).bytes)
            return false;
        if (!journal_part_is_total(p) && !state_old_prove(&r->old, shard, cell, undo ? p->from : p->to, p->to))
            return false;
    }
    return true;
}

/* What is owed to the total of a namespace behind a step. */
static void apply_owed(struct journal_stored *stored, struct slice ns, int64_t by)
{
    uint32_t i = 0;

    while (i < stored->owed_count && !slice_equals((struct slice){stored->owed[i].ns, stored->owed[i].ns_bytes}, ns))
        i++;
    if (i == JOURNAL_OWED_MAX)
        return;
    struct journal_owed *o = &stored->owed[i];
    if (i == stored->owed_count) {
        *o = (struct journal_owed){.ns_bytes = (uint32_t)ns.bytes};
        memcpy(o->ns, ns.at, ns.bytes);
        stored->owed_count++;
    }
    o->owed += by;
}

/* A step between two copies of the store is done to its end. */
static bool apply_step(struct run *r, const struct journal_record *step, struct journal_stored *stored)
{
    for (uint32_t i = 0; i < step->parts_count; i++) {
        const struct journal_part *p = &step->parts[i];
        uint32_t shard = journal_part_shard(p), cell = journal_part_cell(p);
        struct slice name = state_old_name(&r->old, shard, cell);
        if (!name.bytes)
            return false;
        if (journal_part_is_total(p))
            apply_owed(stored, name_ns(name), (int64_t)(p->to - p->from));
        else if (!state_old_prove(&r->old, shard, cell, p->to, p->from > p->to ? p->from : p->to))
            return false;
    }
    return true;
}

static uint64_t record_hits(const struct journal_record *record)
{
    uint64_t hits = 0;

    for (uint32_t i = 0; record && i < record->parts_count; i++)
        hits += journal_part_is_total(&record->parts[i]) ? 0 : record->parts[i].to - record->parts[i].from;
    return hits;
}

/* The keys of a replaced batch were given back to nobody, and those of the empty one that replaces it are none. */
static bool apply_view(struct run *r, struct journal_view *view, bool undo)
{
    return (!view->step || apply_step(r, view->step, &view->moved)) &&
           (!view->replaced || apply_record(r, view->replaced, undo)) &&
           (!view->batch || apply_record(r, view->batch, undo));
}

static uint32_t record_items(const struct run *r, const struct journal_record *record)
{
    struct slice before = {0};
    uint32_t items = 0;

    for (uint32_t i = 0; record && i < record->parts_count; i++) {
        const struct journal_part *p = &record->parts[i];
        struct slice name = state_old_name(&r->old, journal_part_shard(p), journal_part_cell(p));
        items += !journal_part_is_total(p) && !slice_equals(name, before);
        before = name;
    }
    return items;
}

static bool can_go_on(const struct run *r, const struct journal_view *view)
{
    return r->same_keys && !flush_is_embedded(r->config->options) && view->instance[0] &&
           record_items(r, view->batch) <= r->config->options->batch_keys_max &&
           record_items(r, view->replaced) <= r->config->options->batch_keys_max;
}

static void forget(struct past *past) { past->view = (struct journal_view){0}; }

static void read_past(struct run *r, uint32_t partition)
{
    struct past *past = &r->pasts[partition];
    struct slice area = state_old_journal(&r->old, partition);
    enum journal_verdict verdict = JOURNAL_LOST;

    if (area.bytes == r->old.header.geometry.journal_bytes)
        verdict = journal_read(area, &past->view);
    r->out->damaged |= verdict == JOURNAL_LOST || past->view.damaged;
    past->condemned = verdict == JOURNAL_LOST;
    if (!past->condemned && !can_go_on(r, &past->view)) {
        r->out->lost_hits += record_hits(past->view.batch) + record_hits(past->view.replaced);
        past->condemned = !apply_view(r, &past->view, false);
        forget(past);
    } else if (!past->condemned && !apply_view(r, &past->view, true)) {
        past->condemned = true;
    }
    if (past->condemned) {
        forget(past);
        r->out->damaged = true;
        r->condemned |= !r->same_keys; /* which names were its own is not known any more */
    }
}

static int read_pasts(struct run *r, struct error *err)
{
    r->pasts_count = r->old.header.geometry.partitions;
    r->pasts = calloc(r->pasts_count, sizeof(r->pasts[0]));
    if (!r->pasts)
        return error_set(err, -ENOMEM, "no memory to recover the state file");
    for (uint32_t p = 0; p < r->pasts_count; p++)
        read_past(r, p);
    return 0;
}

static bool condemns(void *ctx, struct slice name)
{
    const struct run *r = ctx;

    if (r->condemned)
        return true;
    return r->same_keys && r->pasts && r->pasts[keyspace_partition(&r->space, name)].condemned;
}

/* ---- the old file ---- */

/* May anything in it be believed, and is it ours to send? One that ended in order is nobody's; one of a run without a
 * store is a store. */
static void condemn(struct run *r)
{
    const struct state_header *h = &r->old.header;
    const struct state_disk *disk = r->config->disk;
    bool rebooted = strcmp(h->boot_id, r->config->boot_id) != 0;

    if (r->old.orderly)
        return;
    r->out->copied = !rebooted && !h->geometry.embedded && disk->old_has_twin(disk->ctx, &h->origin);
    r->condemned = rebooted || r->out->copied;
    if (r->condemned)
        error_set(&r->out->damage, 0,
                  rebooted
                      ? "the machine went down before the file was written to its medium"
                      : "it is a copy, and the process that uses the original may still run: what was pending in it "
                        "is stored there");
    r->out->damaged |= r->condemned;
}

static int read_old(struct run *r, struct error *err)
{
    struct recovery *out = r->out;
    int failed = state_old_load(&r->old, r->config->disk, &out->damage);

    out->found = failed != -ENOENT;
    if (failed == -EBADMSG) {
        out->damaged = true;
        return 0;
    }
    if (failed == -ENOENT) {
        out->damage.text[0] = '\0';
        return 0;
    }
    if (failed)
        return error_set(err, failed, "the state file in --state-dir: %s", out->damage.text);
    out->damaged = r->old.header_damaged;
    r->same_keys = r->old.header.geometry.keys_sum == keys_check(r->config) &&
                   r->old.header.geometry.partitions == r->space.partitions;
    condemn(r);
    /* Without a store there are no batches. */
    return r->condemned || r->old.header.geometry.embedded ? 0 : read_pasts(r, err);
}

/* ---- the new file ---- */

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static int create_new(struct run *r, struct error *err)
{
    const struct recovery_config *c = r->config;
    uint32_t names = r->old.base ? import_names(&r->old, flush_is_embedded(c->options)) : 0;
    struct state_file_config config = {
        .disk = c->disk,
        .boot_id = c->boot_id,
        .chunk_bytes = c->chunk_bytes,
        .geometry = {.workers = c->workers,
                     .partitions = r->space.partitions,
                     .cells_max = tally_cells_max(larger(c->keys_max, names)),
                     .journal_bytes = journal_bytes(journal_parts_max(c->options->batch_keys_max, c->workers)),
                     .embedded = flush_is_embedded(c->options),
                     .keys_sum = keys_check(c)},
    };

    config.geometry.names_units_max = (uint32_t)shard_names_units_max(config.geometry.cells_max);
    int failed = state_file_create(&r->out->state, &config, err);
    if (failed)
        return failed;
    const struct tally_config tally = {.workers = c->workers, .keys_max = c->keys_max, .state = r->out->state};
    failed = tally_create(&r->out->tally, &tally);
    return failed
               ? error_set(err, failed, "cannot reserve memory for --max-keys %u: %s", c->keys_max, strerror(-failed))
               : 0;
}

static int import_old(struct run *r, struct error *err)
{
    struct recovery *out = r->out;

    if (!r->old.base)
        return 0;
    int failed = import_run(out->tally, &r->old, flush_is_embedded(r->config->options), condemns, r, &out->import);
    if (failed)
        return error_set(err, failed, "--state-dir has no room to take over %llu names: %s; enlarge it (tmpfs: size=)",
                         (unsigned long long)import_names(&r->old, flush_is_embedded(r->config->options)),
                         strerror(-failed));
    out->lost_hits += out->import.condemned_hits;
    out->import.damaged += r->old.lower_bounds;
    out->damaged |= out->import.damaged || out->import.condemned;
    return 0;
}

/* An item of the old batch is the run of parts with one name; here it has one cell, which counts from 0. Every name of
 * an open batch has its hits pending, and so was taken over. */
static uint32_t repoint(const struct run *r, const struct journal_record *record, struct journal_part *parts)
{
    struct slice before = {0};
    uint32_t n = 0, shard, cell;
    bool found = false;

    for (uint32_t i = 0; i < record->parts_count; i++) {
        const struct journal_part *p = &record->parts[i];
        struct slice name = state_old_name(&r->old, journal_part_shard(p), journal_part_cell(p));
        if (journal_part_is_total(p)) {
            if (tally_find(r->out->tally, name, &shard, &cell))
                parts[n++] = (struct journal_part){((uint64_t)shard << 32 | cell) | JOURNAL_TOTAL, p->from, p->to};
            continue;
        }
        if (!slice_equals(name, before)) {
            found = tally_find(r->out->tally, name, &shard, &cell);
            if (found)
                parts[n++] = (struct journal_part){.cell = (uint64_t)shard << 32 | cell};
        }
        if (found)
            parts[n - 1].to += p->to - p->from;
        before = name;
    }
    return n;
}

static int intend(const struct run *r, struct journal *j, const struct journal_view *view, bool replaces)
{
    const struct journal_record *record = replaces || !view->replaced ? view->batch : view->replaced;
    struct journal_part *parts = calloc(record->parts_count + 1, sizeof(*parts));

    if (!parts)
        return -ENOMEM;
    journal_intend(j, &(struct journal_batch){
                          .ledger = record->ledger,
                          .acked = view->acked,
                          .instance = view->instance,
                          .kind = replaces ? JOURNAL_REPLACING : (enum journal_kind)record->kind,
                          .parts = parts,
                          .parts_count = repoint(r, record, parts),
                      });
    free(parts);
    return 0;
}

static int write_journal(struct run *r, uint32_t partition, const char *fresh)
{
    const struct journal_view *view = r->same_keys && r->pasts ? &r->pasts[partition].view : NULL;
    const struct state_geometry *g = state_file_geometry(r->out->state);
    static const struct ledger none;
    static const struct journal_stored nothing;
    struct journal j;

    journal_open(&j, state_file_journal(r->out->state, partition), g->journal_bytes, r->config->env);
    bool goes_on = view && view->instance[0];
    if (partition == 0)
        snprintf(r->out->instance, sizeof(r->out->instance), "%.36s", goes_on ? view->instance : fresh);
    if (!goes_on) {
        r->out->renamed += r->out->found;
        journal_acknowledge(&j, fresh, &none, &nothing);
        return 0;
    }
    journal_acknowledge(&j, view->instance, &view->acked, view->stored ? view->stored : &nothing);
    int failed = view->replaced ? intend(r, &j, view, false) : 0;
    if (view->batch && !failed) {
        failed = intend(r, &j, view, view->replaced);
        r->out->open++;
    }
    return failed;
}

static int write_journals(struct run *r, struct error *err)
{
    char fresh[UUID_TEXT_BYTES];
    int failed = 0;

    env_uuid(r->config->env, fresh);
    for (uint32_t p = 0; p < r->space.partitions && !failed; p++)
        failed = write_journal(r, p, fresh);
    return failed ? error_set(err, failed, "no memory to recover the state file") : 0;
}

static int commit(struct run *r, struct error *err)
{
    struct recovery *out = r->out;
    const struct state_disk *disk = r->config->disk;
    int failed = 0;

    if (out->found && out->damaged)
        failed = disk->set_aside(disk->ctx, out->aside, sizeof(out->aside));
    if (!failed)
        failed = state_file_commit(out->state);
    return failed ? error_set(err, failed, "cannot put the new state file in its place in --state-dir: %s",
                              strerror(-failed))
                  : 0;
}

int recovery_run(struct recovery *out, const struct recovery_config *config, struct error *err)
{
    struct run r = {.config = config, .out = out};
    int failed;

    *out = (struct recovery){0};
    keyspace_init(&r.space, config->options->prefix, config->options->partitions);
    if ((failed = read_old(&r, err)) || (failed = create_new(&r, err)) || (failed = import_old(&r, err)) ||
        (failed = write_journals(&r, err)) || (failed = commit(&r, err))) {
        tally_destroy(out->tally);
        state_file_close(out->state, false);
        *out = (struct recovery){0};
    }
    free(r.pasts);
    state_old_free(&r.old);
    return failed;
}
