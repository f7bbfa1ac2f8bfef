#include "flush/chain.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "sync/atomic.h"

#define LEDGER_REFRESH_MS (24 * 3600 * 1000ULL) /* a quiet chain's ledger must not expire */

static void chain_take_identity(struct chain *c, const char *instance)
{
    snprintf(c->instance, sizeof(c->instance), "%s", instance);
    int n = snprintf(c->ledger_key, sizeof(c->ledger_key), "%.*s!ledger:%s:%u", (int)c->config.prefix.bytes,
                     c->config.prefix.at, c->instance, c->config.partition);
    assert(n > 0 && (size_t)n < sizeof(c->ledger_key));
    c->acked = (struct ledger){0};
    window_clear(&c->window);
}

/* ---- making batches ---- */

static struct batch *chain_free_batch(struct chain *c)
{
    return c->replaced == &c->batches[0] ? &c->batches[1] : &c->batches[0];
}

static void chain_give_back(struct chain *c, struct batch **batch)
{
    if (!*batch)
        return;
    accounts_give_back(c->config.accounts, *batch);
    *batch = NULL;
}

static void chain_begin(struct chain *c, struct batch *b)
{
    batch_begin(b, &(struct ledger){c->acked.seq + 1, env_random(c->config.accounts->env)});
}

static int chain_compose(struct chain *c, struct batch *b)
{
    const struct slice ledger_key = {c->ledger_key, strlen(c->ledger_key)};

    c->batch = b;
    int failed = batch_compose(b, c->config.accounts->keys, c->config.prefix, ledger_key);
    if (failed)
        chain_give_back(c, &c->batch); /* never sent, so nothing is in doubt */
    return failed;
}

bool chain_is_old(const struct chain *c, uint64_t now_ms)
{
    return c->acked.seq && now_ms - c->stored_ms >= LEDGER_REFRESH_MS;
}

int chain_make_batch(struct chain *c, uint64_t now_ms)
{
    struct batch *b = chain_free_batch(c);
    bool refresh = chain_is_old(c, now_ms);

    assert(!c->batch);
    if (keys_dirty_of(c->config.accounts->keys, c->config.partition) == 0 && !refresh)
        return 0;
    chain_begin(c, b);
    accounts_take(c->config.accounts, b, c->config.partition);
    return b->items_count || refresh ? chain_compose(c, b) : 0;
}

int chain_replace(struct chain *c)
{
    struct batch *refused = c->batch;

    assert(!c->replaced); /* an empty batch has no key that could be refused */
    c->replaced = refused;
    struct batch *empty = chain_free_batch(c);
    chain_begin(c, empty);
    int failed = chain_compose(c, empty);
    if (failed) {
        c->replaced = NULL;
        c->batch = refused;
    }
    return failed;
}

bool chain_is_sure(const struct chain *c)
{
    return (!c->batch || c->batch->copies == 0) && (!c->replaced || c->replaced->copies == 0);
}

/* ---- how a batch ends ---- */

static void chain_acknowledge(struct chain *c, const struct batch *applied, uint64_t hits)
{
    struct flusher_stats *stats = c->config.accounts->stats;

    c->acked = applied->ledger;
    window_push(&c->window, &c->acked, hits);
    c->stored_ms = accounts_now_ms(c->config.accounts);
    stat_add(&stats->batches, 1);
    store_relaxed_u64(&stats->last_flush_ms, c->stored_ms);
}

bool chain_answered(struct chain *c, const struct reply *exec)
{
    const struct batch *b = c->batch;
    uint64_t stored = accounts_answered(c->config.accounts, b, exec);

    c->batch = NULL;
    /* Only an ACL changed between queueing and EXEC can refuse the SET alone. The items are applied and known to be:
     * the ledger stays where it was. */
    if (!reply_is_status(&exec->items[b->items_count], SLICE("OK")))
        return false;
    chain_acknowledge(c, b, stored);
    chain_give_back(c, &c->replaced);
    return true;
}

static enum chain_news chain_applied_unseen(struct chain *c, struct batch **applied)
{
    accounts_applied_unseen(c->config.accounts, *applied);
    chain_acknowledge(c, *applied, (*applied)->hits);
    *applied = NULL;
    /* Of a batch and what it replaces, the ledger lets only one through. */
    chain_give_back(c, &c->batch);
    chain_give_back(c, &c->replaced);
    return CHAIN_RESOLVED;
}

/* ---- when the ledger is not what it should be ---- */

static void chain_alarm(struct chain *c, uint64_t *kind, const char *event, uint64_t hits)
{
    struct accounts *a = c->config.accounts;

    stat_add(kind, 1);
    stat_add(&a->stats->alarms, 1);
    ENV_LOG(a->env, LOG_LEVEL_ERROR, event, log_str("ledger", c->ledger_key), log_num("acked", (int64_t)c->acked.seq),
            log_num("hits", (int64_t)hits));
}

/* What came over the fence is gone with the server that had it, and what did not cannot come any more: its WATCH
 * saw another ledger. So the batch under way was not applied and never will be. */
static void chain_start_over(struct chain *c, const struct ledger *acked)
{
    chain_give_back(c, &c->batch);
    chain_give_back(c, &c->replaced);
    c->acked = *acked;
}

static enum chain_news chain_on_foreign(struct chain *c)
{
    char instance[UUID_TEXT_BYTES];

    chain_alarm(c, &c->config.accounts->stats->alarms_identity_taken, "identity_taken", 0);
    chain_start_over(c, &(struct ledger){0});
    env_uuid(c->config.accounts->env, instance);
    chain_take_identity(c, instance);
    return CHAIN_RENAMED;
}

static enum chain_news chain_on_behind(struct chain *c, const struct ledger *server)
{
    if (window_knows(&c->window, server) == WINDOW_NOT_OURS)
        return chain_on_foreign(c);
    uint64_t hits = window_cut(&c->window, server->seq);
    chain_alarm(c, &c->config.accounts->stats->alarms_rollback, "redis_rolled_back", hits);
    accounts_lost(c->config.accounts, hits);
    chain_start_over(c, server);
    return CHAIN_GIVEN_UP;
}

static enum chain_news chain_on_missing(struct chain *c)
{
    chain_alarm(c, &c->config.accounts->stats->alarms_ledger_missing, "ledger_missing", 0);
    if (c->config.on_ledger_loss == LEDGER_LOSS_HALT)
        return CHAIN_HALTED;
    chain_start_over(c, &(struct ledger){0});
    window_clear(&c->window);
    return CHAIN_GIVEN_UP;
}

/* A master that was cut off or stopped may not know yet that another one took its place, and its ledger is behind. It
 * learns so in moments, but what we would conclude from its ledger could not be undone. */
static bool chain_believes_loss(struct chain *c)
{
    uint64_t now_ms = accounts_now_ms(c->config.accounts);

    if (!c->loss_seen_ms)
        c->loss_seen_ms = now_ms ? now_ms : 1;
    return now_ms >= c->loss_seen_ms + c->config.loss_confirm_ms;
}

enum chain_news chain_reconcile(struct chain *c, const struct ledger *server)
{
    const struct ledger *batch = c->batch ? &c->batch->ledger : NULL;
    const struct ledger *replaced = c->replaced ? &c->replaced->ledger : NULL;
    enum ledger_verdict verdict = ledger_judge(&c->acked, batch, replaced, server);

    if ((verdict == LEDGER_MISSING || verdict == LEDGER_BEHIND) && c->config.loss_confirm_ms && !chain_believes_loss(c))
        return CHAIN_DOUBTED;
    c->loss_seen_ms = 0;
    switch (verdict) {
    case LEDGER_AS_ACKED: return CHAIN_UNCHANGED;
    case LEDGER_BATCH_APPLIED: return chain_applied_unseen(c, &c->batch);
    case LEDGER_REPLACED_APPLIED: return chain_applied_unseen(c, &c->replaced);
    case LEDGER_MISSING: return chain_on_missing(c);
    case LEDGER_BEHIND: return chain_on_behind(c, server);
    case LEDGER_FOREIGN: return chain_on_foreign(c);
    }
    return CHAIN_UNCHANGED;
}

enum chain_news chain_reconcile_nonsense(struct chain *c) { return chain_on_foreign(c); }

/* ---- life ---- */

int chain_init(struct chain *c, const struct chain_config *config)
{
    *c = (struct chain){.config = *config};
    if (batch_init(&c->batches[0], config->batch_keys_max) < 0)
        return -ENOMEM;
    if (batch_init(&c->batches[1], config->batch_keys_max) < 0) {
        batch_fini(&c->batches[0]);
        return -ENOMEM;
    }
    chain_take_identity(c, config->instance);
    return 0;
}

void chain_fini(struct chain *c)
{
    batch_fini(&c->batches[1]);
    batch_fini(&c->batches[0]);
}
