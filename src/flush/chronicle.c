#include "flush/chronicle.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static void take_name(struct chronicle *c, const char *instance)
{
    snprintf(c->instance, sizeof(c->instance), "%s", instance);
    int n = snprintf(c->ledger_key, sizeof(c->ledger_key), "%.*s!ledger:%s:%u", (int)c->config.prefix.bytes,
                     c->config.prefix.at, c->instance, c->config.number);
    assert(n > 0 && (size_t)n < sizeof(c->ledger_key));
}

static struct slice journal_area(const struct chronicle *c)
{
    return (struct slice){c->config.journal, c->config.journal_bytes};
}

void chronicle_init(struct chronicle *c, const struct chronicle_config *config)
{
    struct journal_view view;

    *c = (struct chronicle){.config = *config, .forked_seq = UINT64_MAX};
    c->nonce_key = (struct siphash_key){env_random(config->accounts->env), env_random(config->accounts->env)};
    window_init(&c->window, config->replay_window_ms, config->replay_parts_max);
    journal_open(&c->journal, config->journal, config->journal_bytes, config->accounts->env);
    if (!config->journal) {
        take_name(c, config->instance);
        return;
    }
    enum journal_verdict verdict = journal_read(journal_area(c), &view);
    assert(verdict == JOURNAL_WHOLE && view.instance[0]); /* recovery wrote it a moment ago */
    take_name(c, view.instance);
    c->acked = view.acked;
    for (uint32_t i = 0; view.stored && i < view.stored->count; i++) {
        window_recall(&c->window, &view.stored->entries[i]);
        c->hits += view.stored->entries[i].hits;
    }
    c->inherits = true;
}

void chronicle_fini(struct chronicle *c)
{
    window_fini(&c->window);
    buf_fini(&c->parts);
}

uint32_t chronicle_parts_max(const struct chronicle *c)
{
    return c->config.journal ? c->journal.parts_max : UINT32_MAX;
}

/* ---- a batch ---- */

static uint32_t nonce_tag(const struct chronicle *c, uint64_t seq, uint32_t count)
{
    const uint64_t of[] = {seq, count};

    return (uint32_t)siphash13(&c->nonce_key, of, sizeof(of));
}

struct ledger chronicle_next(struct chronicle *c)
{
    const uint64_t seq = c->acked.seq + 1;
    const uint32_t count = c->nonces++;

    return (struct ledger){seq, (uint64_t)count << 32 | nonce_tag(c, seq, count)};
}

bool chronicle_strayed(const struct chronicle *c, const struct ledger *ledger)
{
    const uint32_t count = (uint32_t)(ledger->nonce >> 32);

    return c->forked_seq != UINT64_MAX && (uint32_t)ledger->nonce == nonce_tag(c, ledger->seq, count);
}

int chronicle_prepare(const struct chronicle *c, struct batch *b)
{
    return batch_prepare(b, c->config.accounts->keys, c->config.prefix);
}

int chronicle_compose(const struct chronicle *c, struct batch *b)
{
    const struct slice ledger_key = {c->ledger_key, strlen(c->ledger_key)};

    return batch_compose(b, c->config.accounts->keys, c->config.prefix, ledger_key);
}

int chronicle_intend(struct chronicle *c, const struct batch *b, bool replaces)
{
    if (!c->config.journal)
        return 0;
    buf_clear(&c->parts);
    for (uint32_t i = 0; i < b->parts_count; i++) {
        const struct batch_part *p = &b->parts[i];
        const struct journal_part part = {keys_cell_number(p->cell), p->from, p->to};
        buf_append(&c->parts, (const char *)&part, sizeof(part));
    }
    if (c->parts.failed)
        return -ENOMEM;
    journal_intend(&c->journal, &(struct journal_batch){
                                    .ledger = b->ledger,
                                    .acked = c->acked,
                                    .instance = c->instance,
                                    .replaces = replaces,
                                    .parts = (const struct journal_part *)(const void *)c->parts.data,
                                    .parts_count = b->parts_count,
                                });
    return 0;
}

/* The batch under way is resolved; of those that the window knows, the ones up to `seq` are in the store. */
static void chronicle_acknowledge(struct chronicle *c, uint64_t seq)
{
    struct journal_stored stored = {0};

    stored.count = window_recent(&c->window, seq, stored.entries, JOURNAL_STORED_MAX);
    journal_acknowledge(&c->journal, c->instance, &c->acked, &stored);
}

void chronicle_stored(struct chronicle *c, const struct batch *b, uint64_t hits)
{
    uint64_t now_ms = accounts_now_ms(c->config.accounts);

    c->acked = b->ledger;
    c->stored_ms = now_ms;
    c->inherits &= b->inherited;
    c->hits += hits;
    window_push(&c->window, b, hits, now_ms);
    chronicle_acknowledge(c, c->acked.seq);
}

void chronicle_start_over(struct chronicle *c, const struct ledger *acked)
{
    c->acked = *acked;
    chronicle_acknowledge(c, c->acked.seq);
}

/* `keys` NULL: what is forgotten is not stored again. */
static struct window_cut chronicle_cut(struct chronicle *c, uint64_t seq, struct keys *keys)
{
    /* First: killed while the baselines go back, what is pending again must not be called lost as well. */
    chronicle_acknowledge(c, seq);
    struct window_cut cut = window_cut(&c->window, seq, keys, accounts_now_ms(c->config.accounts));
    if (seq == 0)
        cut.lost = c->hits - cut.replayed;
    c->hits -= cut.replayed + cut.lost;
    c->repeats |= cut.replayed > 0 || c->forked_seq != UINT64_MAX;
    c->forked_seq = seq < c->forked_seq ? seq : c->forked_seq;
    return cut;
}

struct window_cut chronicle_roll_back(struct chronicle *c, uint64_t seq)
{
    return chronicle_cut(c, seq, c->config.accounts->keys);
}

struct window_cut chronicle_come_back(struct chronicle *c, uint64_t seq)
{
    return chronicle_cut(c, seq < c->forked_seq ? seq : c->forked_seq, c->repeats ? NULL : c->config.accounts->keys);
}

uint64_t chronicle_forget(struct chronicle *c)
{
    uint64_t hits = c->hits;

    c->hits = 0;
    c->forked_seq = 0;
    window_clear(&c->window);
    return hits;
}

uint64_t chronicle_rename(struct chronicle *c, const char *instance)
{
    uint64_t hits = c->inherits ? keys_give_up_inherited(c->config.accounts->keys, c->config.number) : 0;

    c->inherits = false;
    take_name(c, instance);
    chronicle_forget(c);
    c->forked_seq = UINT64_MAX;
    c->repeats = false;
    chronicle_start_over(c, &(struct ledger){0});
    return hits;
}

/* ---- what was open ---- */

static int restore(struct chronicle *c, const struct journal_record *r, struct batch *b)
{
    struct keys *keys = c->config.accounts->keys;
    int failed = 0;

    batch_begin(b, &r->ledger);
    for (uint32_t i = 0; i < r->parts_count && !failed; i++) {
        struct batch_part part = {.from = r->parts[i].from, .to = r->parts[i].to};
        uint64_t cell = r->parts[i].cell;
        uint32_t key = keys_of_cell(keys, (uint32_t)(cell >> 32), (uint32_t)cell, &part.cell);
        failed = key == KEY_NONE ? -EINVAL : batch_restore_part(b, key, &part);
    }
    if (failed)
        return failed;
    b->inherited = true;
    b->sends = 1;
    b->copies = 1; /* the process before may have sent it, and its bytes may still travel */
    accounts_resume(c->config.accounts, b);
    return chronicle_compose(c, b);
}

int chronicle_resume(struct chronicle *c, struct batch *batch, bool *open, struct batch *replaced, bool *replaces)
{
    struct journal_view view = {0};
    int failed = 0;

    if (c->config.journal)
        journal_read(journal_area(c), &view);
    *open = view.batch;
    *replaces = view.replaced;
    if (*replaces)
        failed = restore(c, view.replaced, replaced);
    if (*open && !failed)
        failed = restore(c, view.batch, batch);
    return failed;
}
