#include "support/state_run.h"

static uint64_t run_now_us(void *ctx)
{
    (void)ctx;
    return 1000000;
}

static uint64_t run_random(void *ctx)
{
    struct run_process *p = ctx;

    return p->seed = p->seed * 6364136223846793005ULL + 1442695040888963407ULL;
}

static void run_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields)
{
    (void)ctx;
    (void)level;
    (void)event;
    (void)fields;
}

struct slice run_name(uint32_t i)
{
    static const char *const names[RUN_NAMES] = {"n/a",        "n/bb", "n/ccc", "blog/d",
                                                 "blog/eeeee", "x/f",  "x/gg",  "x/h h"};

    return (struct slice){names[i], strlen(names[i])};
}

struct recovery_config run_recovery_config(struct run_process *p, const struct run_config *c)
{
    p->env = (struct env){.ctx = p, .now_us = run_now_us, .random = run_random, .log = run_log};
    p->options = (struct flush_options){
        .redis = c->embedded ? NULL : &p->access,
        .prefix = c->prefix ? c->prefix : RUN_PREFIX,
        .instance = "",
        .batch_keys_max = c->batch_keys_max,
    };
    return (struct recovery_config){
        .options = &p->options,
        .env = &p->env,
        .disk = &p->disk.disk,
        .boot_id = c->boot_id ? c->boot_id : "boot",
        .workers = c->workers,
        .keys_max = c->keys_max,
        .chunk_bytes = 4096,
    };
}

int run_start(struct run_process *p, const struct run_config *c, uint64_t seed, struct error *err)
{
    p->seed = seed;
    const struct recovery_config config = run_recovery_config(p, c);
    int failed = recovery_run(&p->recovery, &config, err);
    if (failed)
        return failed;
    const struct state_file *state = p->recovery.state;
    keyspace_init(&p->space, p->options.prefix, 0);
    failed = keys_create(&p->keys, p->recovery.tally, &p->space);
    assert(!failed);
    books_init(&p->books);
    p->accounts = (struct accounts){.env = &p->env, .keys = p->keys, .books = &p->books, .stats = &p->stats};
    failed = keys_inherit(p->keys);
    assert(!failed);
    history_init(&p->history, &(struct history_config){
                                  .options = &p->options,
                                  .accounts = &p->accounts,
                                  .prefix = keyspace_prefix(&p->space, 0),
                                  .journal = state_file_journal(state, 0),
                                  .journal_bytes = state_file_geometry(state)->journal_bytes,
                              });
    failed = batch_init(&p->batch, c->batch_keys_max, history_parts_max(&p->history));
    assert(!failed);
    failed = batch_init(&p->replaced, c->batch_keys_max, history_parts_max(&p->history));
    assert(!failed);
    failed = history_resume(&p->history, &p->batch, &p->open, &p->replaced, &p->replaces);
    assert(!failed);
    return 0;
}

void run_end(struct run_process *p)
{
    batch_fini(&p->replaced);
    batch_fini(&p->batch);
    history_fini(&p->history);
    keys_destroy(p->keys);
    tally_destroy(p->recovery.tally);
    state_file_close(p->recovery.state, false);
    memory_disk_fini(&p->disk);
}

enum tally_result run_hit(struct run_process *p, struct run_model *m, uint32_t worker, uint32_t name, uint64_t n)
{
    enum tally_result result = tally_hit(p->recovery.tally, worker, run_name(name), n);

    m->written[name] += result == TALLY_COUNTED ? n : 0;
    return result;
}

static uint32_t run_number(struct slice name)
{
    uint32_t i = 0;

    while (!slice_equals(run_name(i), name))
        i++;
    return i;
}

bool run_intend(struct run_process *p)
{
    batch_begin(&p->batch, &(struct ledger){p->history.acked.seq + 1, run_random(p)});
    keys_collect(p->keys);
    batch_fill(&p->batch, p->keys, 0);
    if (p->batch.items_count == 0)
        return false;
    int failed = history_intend(&p->history, &p->batch, false);
    assert(!failed);
    p->open = true;
    return true;
}

bool run_store(const struct run_process *p, struct run_model *m, const struct batch *b)
{
    bool known = strcmp(m->instance, p->history.instance) == 0;

    if (known ? !ledger_equals(&m->ledger, &p->history.acked) : p->history.acked.seq != 0)
        return false;
    for (uint32_t i = 0; i < b->items_count; i++)
        m->stored[run_number(keys_name(p->keys, b->items[i].key))] += (uint64_t)b->items[i].delta;
    memcpy(m->instance, p->history.instance, sizeof(m->instance));
    m->ledger = b->ledger;
    return true;
}

void run_answered(struct run_process *p, struct batch *b)
{
    for (uint32_t i = 0; i < b->items_count; i++) {
        batch_item_applied(b, p->keys, &b->items[i]);
        env_step(&p->env, ENV_STEP_BASELINE);
    }
    history_stored(&p->history, b, b->hits);
    p->open = p->replaces = false;
}

/* As a partition does after its arm. */
static void run_reconcile(struct run_process *p, struct run_model *m)
{
    bool known = strcmp(m->instance, p->history.instance) == 0;
    const struct ledger *server = known ? &m->ledger : NULL;

    switch (ledger_judge(&p->history.acked, p->open ? &p->batch.ledger : NULL, p->replaces ? &p->replaced.ledger : NULL,
                         server)) {
    case LEDGER_AS_ACKED: return;
    case LEDGER_BATCH_APPLIED: run_answered(p, &p->batch); return;
    case LEDGER_REPLACED_APPLIED: run_answered(p, &p->replaced); return;
    case LEDGER_MISSING:
    case LEDGER_BEHIND:
        p->open = p->replaces = false;
        history_start_over(&p->history, server ? server : &(struct ledger){0});
        return;
    case LEDGER_FOREIGN:
        p->open = p->replaces = false;
        history_rename(&p->history, "another");
        return;
    }
}

void run_drain(struct run_process *p, struct run_model *m)
{
    run_reconcile(p, m);
    if (!p->open)
        keys_collect(p->keys);
    while (p->open || run_intend(p)) {
        bool stored = run_store(p, m, &p->batch);
        assert(stored);
        run_answered(p, &p->batch);
    }
}
