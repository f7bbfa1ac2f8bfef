#include "ledger/chain_inside.h"

#include <assert.h>

#include "sync/atomic.h"

/* A quiet chain's ledger must not expire. */
#define REFRESH_MS (24 * 3600 * 1000ULL)
#define REFRESH_ALONE_MS (REFRESH_MS / 4)
#define LOOK_MS_MAX 10000
#define LOOKS_A_WINDOW 6

/* ---- making batches ---- */

void chain_shrink(struct chain *c) { c->keys_max = c->batch->items_count / 4; }

void chain_grow(struct chain *c)
{
    uint32_t most = chain_options(c)->batch_keys_max;

    c->keys_max = c->keys_max < most / 2 ? c->keys_max * 2 : most;
}

struct batch *chain_free_batch(struct chain *c)
{
    struct batch *b = c->batches;

    while (b == c->batch || b == c->replaced || b == c->next)
        b++;
    b->items_max = c->keys_max;
    return b;
}

void chain_give_back(struct chain *c, struct batch **batch)
{
    if (!*batch)
        return;
    if ((*batch)->copies) /* some copy of the store may have executed it */
        window_shelve(&c->history.window, *batch, accounts_now_ms(chain_accounts(c)));
    accounts_give_back(chain_accounts(c), *batch);
    *batch = NULL;
}

static void chain_begin(struct chain *c, struct batch *b)
{
    const struct ledger next = history_next(&c->history);

    batch_begin(b, &next);
}

static int chain_compose(struct chain *c, struct batch *b)
{
    c->batch = b;
    b->parent = c->history.window.at;
    int failed = history_compose(&c->history, b);
    if (!failed)
        failed = history_intend(&c->history, b, c->replaced);
    if (failed)
        chain_give_back(c, &c->batch); /* never sent, so nothing is in doubt */
    return failed;
}

bool chain_is_old(const struct chain *c, uint64_t now_ms)
{
    uint64_t refresh_ms = c->config.history.journal ? REFRESH_MS : REFRESH_ALONE_MS;

    return c->history.acked.seq && now_ms - c->history.stored_ms >= refresh_ms;
}

uint64_t chain_look_ms(const struct chain *c, uint64_t looked_ms)
{
    uint64_t pause_ms = chain_options(c)->replay_window_ms / LOOKS_A_WINDOW;
    uint64_t look_ms = looked_ms + (pause_ms < LOOK_MS_MAX ? pause_ms : LOOK_MS_MAX);

    return look_ms <= window_ends_ms(&c->history.window) ? look_ms : UINT64_MAX;
}

bool chain_has_writes(const struct chain *c)
{
    const struct writes *w = chain_accounts(c)->writes;

    return w && writes_wait(w, c->config.history.number);
}

/* Hits, or what keys to show as the highest. */
static bool chain_has_more(const struct chain *c)
{
    const struct keys *keys = chain_accounts(c)->keys;

    return keys_dirty_of(keys, c->config.history.number) || tops_may_go(keys_tops(keys), c->config.history.number);
}

bool chain_has_hits(const struct chain *c) { return c->next || chain_has_more(c); }

/* In turn with hits, so that neither holds the other up. */
static bool chain_writes_next(const struct chain *c) { return chain_has_writes(c) && !(c->wrote && chain_has_hits(c)); }

/* Is no key of the batch under way dirty again? The baselines do not say yet what is in it. */
static bool chain_batch_is_clean(const struct chain *c)
{
    const struct batch *b = c->batch;

    return !b || (!b->inherited && !b->write.there && b->pushes == keys_pushes(chain_accounts(c)->keys));
}

static bool chain_may_prepare(const struct chain *c)
{
    bool dirty = keys_dirty_of(chain_accounts(c)->keys, c->config.history.number);

    return dirty && !c->next && !c->replaced && !chain_has_writes(c) && chain_batch_is_clean(c);
}

void chain_prepare(struct chain *c)
{
    static const struct ledger none;

    if (!chain_may_prepare(c))
        return;
    struct batch *b = chain_free_batch(c);
    batch_begin(b, &none);
    accounts_take(chain_accounts(c), b, c->config.history.number);
    c->next = b;
    if (b->items_count == 0 || batch_prepare(b, chain_accounts(c)->keys, c->config.history.prefix))
        chain_give_back(c, &c->next);
}

static int chain_promote(struct chain *c)
{
    struct batch *b = c->next;

    c->next = NULL;
    b->ledger = history_next(&c->history);
    return chain_compose(c, b);
}

int chain_make_batch(struct chain *c, uint64_t now_ms)
{
    struct batch *b = chain_free_batch(c);
    bool refresh = chain_is_old(c, now_ms);

    assert(!c->batch);
    c->wrote = chain_writes_next(c);
    if (c->next && !c->wrote)
        return chain_promote(c);
    chain_give_back(c, &c->next); /* a write takes along what its key has */
    if (c->wrote) {
        chain_begin(c, b);
        accounts_take_write(chain_accounts(c), b, c->config.history.number);
        return chain_compose(c, b);
    }
    bool offers = tops_may_go(keys_tops(chain_accounts(c)->keys), c->config.history.number);
    if (!chain_has_more(c) && !refresh)
        return 0;
    chain_begin(c, b);
    accounts_take(chain_accounts(c), b, c->config.history.number);
    return b->items_count || refresh || offers ? chain_compose(c, b) : 0;
}

int chain_replace(struct chain *c)
{
    struct batch *refused = c->batch;

    assert(!c->replaced); /* an empty batch has no key that could be refused */
    chain_give_back(c, &c->next);
    c->replaced = refused;
    struct batch *empty = chain_free_batch(c);
    chain_begin(c, empty);
    empty->replaces = true;
    int failed = chain_compose(c, empty);
    if (failed) {
        c->replaced = NULL;
        c->batch = refused;
    }
    return failed;
}

/* The record of what is under way is the last one then, and none of its keys is forgotten. */
void chain_cover(struct chain *c)
{
    if (!c->batch && !c->replaced)
        history_cover(&c->history);
}

bool chain_is_sure(const struct chain *c)
{
    return (!c->batch || c->batch->copies == 0) && (!c->replaced || c->replaced->copies == 0);
}

/* ---- how a batch ends ---- */

/* What is given up is in the journal as such before anything else is: a step of a move takes the place of its record.
 */
void chain_give_back_all(struct chain *c)
{
    bool sent = (c->batch && c->batch->copies) || (c->replaced && c->replaced->copies);

    chain_give_back(c, &c->batch);
    chain_give_back(c, &c->replaced);
    chain_give_back(c, &c->next);
    if (sent)
        history_start_over(&c->history, &c->history.acked);
}

static void chain_acknowledge(struct chain *c, const struct batch *applied, uint64_t hits)
{
    struct flusher_stats *stats = chain_accounts(c)->stats;

    history_stored(&c->history, applied, hits);
    c->stored_lineage = c->lineage;
    stat_add(&stats->batches, 1);
    store_relaxed_u64(&stats->last_flush_ms, c->history.stored_ms);
}

bool chain_answered(struct chain *c, bool ledger_set)
{
    struct batch *b = c->batch;
    uint64_t stored = accounts_answered(chain_accounts(c), b);

    c->batch = NULL;
    /* Only an ACL changed between queueing and EXEC can refuse the SET alone. The items are applied and known to be:
     * the ledger stays where it was. */
    if (!ledger_set) {
        history_start_over(&c->history, &c->history.acked);
        return false;
    }
    chain_acknowledge(c, b, stored);
    chain_give_back(c, &c->replaced);
    return true;
}

enum chain_news chain_applied_unseen(struct chain *c, struct batch **applied)
{
    if ((*applied)->items_count && !(*applied)->examined) {
        c->proved = *applied;
        batch_forget_refusals(c->proved); /* other copies of it were refused, this one was not */
        return CHAIN_PROVED;
    }
    chain_acknowledge(c, *applied, accounts_applied_unseen(chain_accounts(c), *applied));
    *applied = NULL;
    /* Of a batch and what it replaces, the ledger lets only one through. */
    chain_give_back(c, &c->batch);
    chain_give_back(c, &c->replaced);
    return CHAIN_RESOLVED;
}

/* ---- life ---- */

static int chain_resume(struct chain *c)
{
    bool open, replaces;
    int failed = history_resume(&c->history, &c->batches[0], &open, &c->batches[1], &replaces);

    c->batch = open ? &c->batches[0] : NULL;
    c->replaced = replaces ? &c->batches[1] : NULL;
    return failed;
}

/* No process comes after this one that could ask for its ledger. */
static void chain_lives_alone(struct chain *c)
{
    for (uint32_t i = 0; i < CHAIN_BATCHES; i++)
        c->batches[i].ledger_expires_s = LEDGER_EXPIRES_ALONE_S;
    c->probe.ledger_expires_s = LEDGER_EXPIRES_ALONE_S;
}

int chain_init(struct chain *c, const struct chain_config *config)
{
    uint32_t items_max = config->history.options->batch_keys_max;

    *c = (struct chain){.config = *config, .keys_max = items_max};
    history_init(&c->history, &config->history);
    uint32_t parts_max = history_parts_max(&c->history);
    int failed = 0;
    for (uint32_t i = 0; i < CHAIN_BATCHES && !failed; i++)
        failed = batch_init(&c->batches[i], items_max, parts_max);
    if (!failed)
        failed = batch_init(&c->probe, 1, 1);
    if (!config->history.journal)
        chain_lives_alone(c);
    if (!failed)
        failed = chain_resume(c);
    if (failed)
        chain_fini(c);
    return failed;
}

void chain_fini(struct chain *c)
{
    for (uint32_t i = 0; i < CHAIN_BATCHES; i++)
        batch_fini(&c->batches[i]);
    batch_fini(&c->probe);
    history_fini(&c->history);
}
