#include "ledger/history.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static void take_name(struct history *c, const char *instance)
{
    static const struct siphash_key low = {0, 0}, high = {0, 1};
    const size_t bytes = strlen(instance);

    snprintf(c->instance, sizeof(c->instance), "%s", instance);
    c->nonce_key = (struct siphash_key){siphash13(&low, instance, bytes), siphash13(&high, instance, bytes)};
    int n = snprintf(c->ledger_key, sizeof(c->ledger_key), "%.*s!ledger:%s:%u", (int)c->config.prefix.bytes,
                     c->config.prefix.at, c->instance, c->config.number);
    assert(n > 0 && (size_t)n < sizeof(c->ledger_key));
}

/* What the process before owed to totals. */
static void take_owed(const struct history *c, const struct journal_stored *stored)
{
    struct sums *sums = keys_sums(c->config.accounts->keys);

    for (uint32_t i = 0; sums && i < stored->owed_count; i++) {
        const struct journal_owed *o = &stored->owed[i];
        uint16_t ns =
            o->ns_bytes <= NAME_NS_BYTES_MAX ? sums_intern(sums, (struct slice){o->ns, o->ns_bytes}) : SUM_NONE;
        if (ns != SUM_NONE)
            sums_at(sums, ns, c->config.number)->owed = o->owed;
    }
}

static void note_owed(const struct history *c, struct journal_stored *stored)
{
    const struct sums *sums = keys_sums(c->config.accounts->keys);

    for (uint32_t ns = 0; sums && ns < sums_count(sums) && stored->owed_count < JOURNAL_OWED_MAX; ns++) {
        int64_t owed = sums_at(sums, (uint16_t)ns, c->config.number)->owed;
        struct slice name = sums_name(sums, (uint16_t)ns);
        if (owed == 0)
            continue;
        struct journal_owed *o = &stored->owed[stored->owed_count++];
        memcpy(o->ns, name.at, name.bytes);
        o->ns_bytes = (uint32_t)name.bytes;
        o->owed = owed;
    }
}

static struct slice journal_area(const struct history *c)
{
    return (struct slice){c->config.journal, c->config.journal_bytes};
}

void history_init(struct history *c, const struct history_config *config)
{
    static const struct journal_stored nothing;
    struct journal_view view;

    *c = (struct history){.config = *config};
    window_init(&c->window, config->options->replay_window_ms, config->replay_parts_max);
    journal_open(&c->journal, config->journal, config->journal_bytes, config->accounts->env);
    if (!config->journal) {
        take_name(c, config->options->instance);
        return;
    }
    enum journal_verdict verdict = journal_read(journal_area(c), &view);
    assert(verdict == JOURNAL_WHOLE && view.instance[0]); /* recovery wrote it a moment ago */
    take_name(c, view.instance);
    c->acked = view.acked;
    for (uint32_t i = 0; view.stored && i < view.stored->count; i++)
        c->hits += view.stored->entries[i].hits;
    c->partial = c->acked.seq && !(view.stored && view.stored->count && view.stored->entries[0].ledger.seq == 1);
    window_recall(&c->window, view.stored ? view.stored : &nothing, &c->acked, accounts_now_ms(config->accounts));
    take_owed(c, view.stored ? view.stored : &nothing);
    c->inherits = true;
}

void history_fini(struct history *c)
{
    window_fini(&c->window);
    buf_fini(&c->parts);
}

uint32_t history_parts_max(const struct history *c)
{
    uint32_t sums = keys_sums(c->config.accounts->keys) ? SUMS_NAMESPACES_MAX : 0;

    return c->config.journal ? c->journal.parts_max - sums : UINT32_MAX;
}

/* ---- a batch ---- */

static uint32_t nonce_tag(const struct history *c, uint64_t seq, uint32_t chance)
{
    const uint64_t of[] = {seq, chance};

    return (uint32_t)siphash13(&c->nonce_key, of, sizeof(of));
}

/* Not a count: a process that was cloned while it ran, as with a machine's snapshot, would have the same one. */
struct ledger history_next(struct history *c)
{
    const uint64_t seq = c->acked.seq + 1;
    const uint32_t chance = (uint32_t)env_random(c->config.accounts->env);

    return (struct ledger){seq, (uint64_t)chance << 32 | nonce_tag(c, seq, chance)};
}

bool history_strayed(const struct history *c, const struct ledger *ledger)
{
    const uint32_t chance = (uint32_t)(ledger->nonce >> 32);

    return ledger->seq <= c->window.off_seq_gone && (uint32_t)ledger->nonce == nonce_tag(c, ledger->seq, chance);
}

int history_compose(const struct history *c, struct batch *b)
{
    batch_settle_sums(b, c->config.accounts->keys, c->config.number);
    batch_settle_tops(b, c->config.accounts->keys, c->config.number);
    const struct slice ledger_key = {c->ledger_key, strlen(c->ledger_key)};

    return batch_compose(b, c->config.accounts->keys, c->config.prefix, ledger_key);
}

static enum journal_kind kind_of(const struct batch *b, bool replaces)
{
    return replaces ? JOURNAL_REPLACING : b->overwrites ? JOURNAL_WRITE : JOURNAL_BATCH;
}

int history_intend(struct history *c, const struct batch *b, bool replaces)
{
    if (!c->config.journal)
        return 0;
    buf_clear(&c->parts);
    for (uint32_t i = 0; i < b->parts_count; i++) {
        const struct batch_part *p = &b->parts[i];
        const struct journal_part part = {keys_cell_number(p->cell), p->from, p->to};
        buf_append(&c->parts, (const char *)&part, sizeof(part));
    }
    for (uint32_t i = 0; i < b->sums_sent; i++) {
        const struct batch_sum *s = &b->sums[i];
        const struct journal_part part = {keys_cell_number(s->cell) | JOURNAL_TOTAL, 0, (uint64_t)s->delta};
        buf_append(&c->parts, (const char *)&part, sizeof(part));
    }
    if (c->parts.failed)
        return -ENOMEM;
    c->bare = false;
    journal_intend(&c->journal, &(struct journal_batch){
                                    .ledger = b->ledger,
                                    .acked = c->acked,
                                    .instance = c->instance,
                                    .kind = kind_of(b, replaces),
                                    .parts = (const struct journal_part *)(const void *)c->parts.data,
                                    .parts_count = b->parts_count + b->sums_sent,
                                });
    return 0;
}

int history_intend_step(struct history *c, const struct ledger *to, const struct ledger *goal, uint64_t hits,
                        const struct buf *parts)
{
    if (parts->failed)
        return -ENOMEM;
    c->bare = false;
    journal_intend(&c->journal, &(struct journal_batch){
                                    .ledger = *to,
                                    .acked = c->acked,
                                    .instance = c->instance,
                                    .kind = JOURNAL_STEP,
                                    .goal = *goal,
                                    .hits = hits,
                                    .parts = (const struct journal_part *)(const void *)parts->data,
                                    .parts_count = (uint32_t)(parts->bytes / sizeof(struct journal_part)),
                                });
    return 0;
}

void history_cover(struct history *c)
{
    if (!c->config.journal || c->bare)
        return;
    journal_intend(&c->journal,
                   &(struct journal_batch){
                       .ledger = history_next(c), .acked = c->acked, .instance = c->instance, .kind = JOURNAL_BATCH});
    history_start_over(c, &c->acked);
    c->bare = true;
}

void history_stored(struct history *c, const struct batch *b, uint64_t hits)
{
    uint64_t now_ms = accounts_now_ms(c->config.accounts);

    for (uint32_t i = 0; i < b->items_count; i++) /* the window knows their cells from now on */
        keys_use(c->config.accounts->keys, b->items[i].key, now_ms);
    c->stored_ms = now_ms;
    c->inherits &= b->inherited;
    c->hits += hits;
    window_push(&c->window, b, hits, now_ms);
    history_start_over(c, &b->ledger);
}

void history_start_over(struct history *c, const struct ledger *acked)
{
    struct journal_stored stored;

    c->acked = *acked;
    if (!c->config.journal)
        return;
    window_recent(&c->window, &stored);
    note_owed(c, &stored);
    journal_acknowledge(&c->journal, c->instance, &c->acked, &stored);
}

uint64_t history_forget(struct history *c)
{
    uint64_t hits = c->hits;

    tops_doubt(keys_tops(c->config.accounts->keys), c->config.number);
    sums_begin_anew(keys_sums(c->config.accounts->keys), c->config.number);
    c->hits = 0;
    c->partial = false;
    window_begin_anew(&c->window, accounts_now_ms(c->config.accounts));
    return hits;
}

uint64_t history_rename(struct history *c, const char *instance)
{
    uint64_t hits = c->inherits ? keys_give_up_inherited(c->config.accounts->keys, c->config.number) : 0;

    if (c->inherits) /* the other process owes it, too */
        sums_begin_anew(keys_sums(c->config.accounts->keys), c->config.number);
    c->inherits = false;
    c->hits = 0;
    c->partial = false;
    tops_doubt(keys_tops(c->config.accounts->keys), c->config.number);
    take_name(c, instance);
    window_clear(&c->window);
    history_start_over(c, &(struct ledger){0});
    return hits;
}

/* ---- what was open ---- */

static int restore_part(struct keys *keys, const struct journal_part *recorded, struct batch *b, bool totals)
{
    struct batch_part part = {.from = recorded->from, .to = recorded->to};
    uint32_t key = keys_of_cell(keys, journal_part_shard(recorded), journal_part_cell(recorded), &part.cell);

    if (key == KEY_NONE)
        return -EINVAL;
    if (totals != journal_part_is_total(recorded))
        return 0;
    return totals ? batch_restore_sum(b, keys, keys_sum(keys, key), part.cell, (int64_t)(part.to - part.from))
                  : batch_restore_part(b, key, &part);
}

/* Totals first, so that their namespaces are known before those that have none. */
static int restore(struct history *c, const struct journal_record *r, struct batch *b)
{
    struct keys *keys = c->config.accounts->keys;
    int failed = 0;

    batch_begin(b, &r->ledger);
    for (uint32_t i = r->parts_count; i-- > 0 && !failed && journal_part_is_total(&r->parts[i]);)
        failed = restore_part(keys, &r->parts[i], b, true);
    for (uint32_t i = 0; i < r->parts_count && !failed; i++)
        failed = restore_part(keys, &r->parts[i], b, false);
    if (!failed)
        failed = batch_restore_sums(b, keys);
    if (failed)
        return failed;
    b->inherited = true;
    b->overwrites = r->kind == JOURNAL_WRITE;
    b->sends = 1;
    b->copies = 1; /* the process before may have sent it, and its bytes may still travel */
    b->parent = c->window.at;
    accounts_resume(c->config.accounts, b);
    return history_compose(c, b);
}

/* Its parts may be more than what is pending: then another branch holds some of it whose parts are forgotten. */
static int revive_parts(struct history *c, const struct window_entry *e, struct batch *b)
{
    struct keys *keys = c->config.accounts->keys;
    int failed = 0;

    for (uint32_t i = 0; i < e->parts_count && !failed; i++) {
        const key_cell cell = e->parts[i].cell;
        uint64_t from = keys_baseline(keys, cell), pending = keys_count(keys, cell) - from, hits = e->parts[i].hits;
        const struct batch_part part = {cell, from, from + (hits < pending ? hits : pending)};
        if (part.from != part.to)
            failed = batch_restore_part(b, keys_of(keys, cell), &part);
    }
    return failed;
}

/* Hits of a namespace that the batch had, and that are in no item any more. */
static int64_t found_of(const struct keys *keys, const struct window_entry *e, const struct batch_sum *s)
{
    int64_t hits = -s->hits;

    for (uint32_t i = 0; i < e->parts_count; i++)
        hits += keys_sum(keys, keys_of(keys, e->parts[i].cell)) == s->ns ? (int64_t)e->parts[i].hits : 0;
    return hits;
}

/* Some of its hits may be stored elsewhere, so that the number has them already in what is not owed. */
static int revive_sums(struct history *c, const struct window_entry *e, struct batch *b)
{
    const struct keys *keys = c->config.accounts->keys;
    int failed = batch_restore_sums(b, keys);

    for (uint32_t i = 0; i < e->sums_count && !failed; i++)
        failed = batch_restore_sum(b, keys, e->sums[i].ns, e->sums[i].cell, e->sums[i].by);
    for (uint32_t i = 0; i < b->sums_count; i++)
        b->sums[i].delta -= found_of(keys, e, &b->sums[i]);
    if (b->sums_count)
        batch_order_sums(b, keys);
    return failed;
}

int history_revive(struct history *c, struct window_entry *entry, struct batch *b)
{
    batch_begin(b, &entry->ledger);
    b->overwrites = entry->overwrites;
    b->partition = c->config.number;
    int failed = revive_parts(c, entry, b);
    if (!failed)
        failed = revive_sums(c, entry, b);
    if (!failed)
        failed = history_intend(c, b, false);
    if (failed)
        return failed;
    b->revived = true;
    b->parent = c->window.at;
    b->sends = 1;
    b->copies = 1;
    b->found = entry->hits - b->hits;
    accounts_revived(c->config.accounts, b);
    window_drop(&c->window, entry);
    return 0;
}

int history_resume(struct history *c, struct batch *batch, bool *open, struct batch *replaced, bool *replaces)
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
