#include "flush/chain.h"

#include <assert.h>

#include "sync/atomic.h"

#define LEDGER_REFRESH_MS (24 * 3600 * 1000ULL) /* a quiet chain's ledger must not expire */
#define LOOK_MS_MAX 10000
#define LOOKS_A_WINDOW 6

static struct accounts *accounts_of(const struct chain *c) { return c->config.past.accounts; }

/* ---- making batches ---- */

static struct batch *chain_free_batch(struct chain *c)
{
    struct batch *b = c->batches;

    while (b == c->batch || b == c->replaced || b == c->next)
        b++;
    return b;
}

static void chain_give_back(struct chain *c, struct batch **batch)
{
    if (!*batch)
        return;
    accounts_give_back(accounts_of(c), *batch);
    *batch = NULL;
}

static void chain_begin(struct chain *c, struct batch *b)
{
    const struct ledger next = chronicle_next(&c->past);

    batch_begin(b, &next);
}

static int chain_compose(struct chain *c, struct batch *b)
{
    c->batch = b;
    int failed = chronicle_compose(&c->past, b);
    if (!failed)
        failed = chronicle_intend(&c->past, b, c->replaced);
    if (failed)
        chain_give_back(c, &c->batch); /* never sent, so nothing is in doubt */
    return failed;
}

bool chain_is_old(const struct chain *c, uint64_t now_ms)
{
    return c->past.acked.seq && now_ms - c->past.stored_ms >= LEDGER_REFRESH_MS;
}

uint64_t chain_look_ms(const struct chain *c, uint64_t looked_ms)
{
    uint64_t pause_ms = c->config.past.replay_window_ms / LOOKS_A_WINDOW;
    uint64_t look_ms = looked_ms + (pause_ms < LOOK_MS_MAX ? pause_ms : LOOK_MS_MAX);

    return look_ms <= window_ends_ms(&c->past.window) ? look_ms : UINT64_MAX;
}

bool chain_has_writes(const struct chain *c)
{
    const struct writes *w = accounts_of(c)->writes;

    return w && writes_wait(w, c->config.past.number);
}

bool chain_has_hits(const struct chain *c)
{
    return c->next || keys_dirty_of(accounts_of(c)->keys, c->config.past.number);
}

/* In turn with hits, so that neither holds the other up. */
static bool chain_writes_next(const struct chain *c) { return chain_has_writes(c) && !(c->wrote && chain_has_hits(c)); }

/* Is no key of the batch under way dirty again? The baselines do not say yet what is in it. */
static bool chain_batch_is_clean(const struct chain *c)
{
    const struct batch *b = c->batch;

    return !b || (!b->inherited && !b->write.there && b->pushes == keys_pushes(accounts_of(c)->keys));
}

static bool chain_may_prepare(const struct chain *c)
{
    bool dirty = keys_dirty_of(accounts_of(c)->keys, c->config.past.number);

    return dirty && !c->next && !c->replaced && !chain_has_writes(c) && chain_batch_is_clean(c);
}

void chain_prepare(struct chain *c)
{
    static const struct ledger none;

    if (!chain_may_prepare(c))
        return;
    struct batch *b = chain_free_batch(c);
    batch_begin(b, &none);
    accounts_take(accounts_of(c), b, c->config.past.number);
    c->next = b;
    if (b->items_count == 0 || chronicle_prepare(&c->past, b))
        chain_give_back(c, &c->next);
}

static int chain_promote(struct chain *c)
{
    struct batch *b = c->next;

    c->next = NULL;
    b->ledger = chronicle_next(&c->past);
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
        accounts_take_write(accounts_of(c), b, c->config.past.number);
        return chain_compose(c, b);
    }
    if (keys_dirty_of(accounts_of(c)->keys, c->config.past.number) == 0 && !refresh)
        return 0;
    chain_begin(c, b);
    accounts_take(accounts_of(c), b, c->config.past.number);
    return b->items_count || refresh ? chain_compose(c, b) : 0;
}

int chain_replace(struct chain *c)
{
    struct batch *refused = c->batch;

    assert(!c->replaced); /* an empty batch has no key that could be refused */
    chain_give_back(c, &c->next);
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
    struct flusher_stats *stats = accounts_of(c)->stats;

    chronicle_stored(&c->past, applied, hits);
    stat_add(&stats->batches, 1);
    store_relaxed_u64(&stats->last_flush_ms, c->past.stored_ms);
}

bool chain_answered(struct chain *c, const struct reply *exec)
{
    struct batch *b = c->batch;
    uint64_t stored = accounts_answered(accounts_of(c), b, exec);

    c->batch = NULL;
    /* Only an ACL changed between queueing and EXEC can refuse the SET alone. The items are applied and known to be:
     * the ledger stays where it was. */
    if (!reply_is_status(&exec->items[batch_commands(b)], SLICE("OK"))) {
        chronicle_start_over(&c->past, &c->past.acked);
        return false;
    }
    chain_acknowledge(c, b, stored);
    chain_give_back(c, &c->replaced);
    return true;
}

static enum chain_news chain_applied_unseen(struct chain *c, struct batch **applied)
{
    if ((*applied)->items_count && !(*applied)->examined) {
        c->proved = *applied;
        batch_forget_refusals(c->proved); /* other copies of it were refused, this one was not */
        return CHAIN_PROVED;
    }
    chain_acknowledge(c, *applied, accounts_applied_unseen(accounts_of(c), *applied));
    *applied = NULL;
    /* Of a batch and what it replaces, the ledger lets only one through. */
    chain_give_back(c, &c->batch);
    chain_give_back(c, &c->replaced);
    return CHAIN_RESOLVED;
}

/* ---- when the ledger is not what it should be ---- */

static void chain_give_back_all(struct chain *c)
{
    chain_give_back(c, &c->batch);
    chain_give_back(c, &c->replaced);
    chain_give_back(c, &c->next);
}

/* `lost`: what the number of lost hits is called, as it may be a bound. */
static void chain_alarm(struct chain *c, uint64_t *kind, const char *event, const struct window_cut *cut,
                        const char *lost)
{
    struct accounts *a = accounts_of(c);

    stat_add(kind, 1);
    stat_add(&a->stats->alarms, 1);
    ENV_LOG(a->env, LOG_LEVEL_ERROR, event, log_str("ledger", c->past.ledger_key),
            log_num("acked", (int64_t)c->past.acked.seq), log_num("hits_replayed", (int64_t)cut->replayed),
            log_num(lost, (int64_t)cut->lost));
}

/* What came over the fence is gone with the server that had it, and what did not cannot come any more: its WATCH
 * saw another ledger. So the batch under way was not applied and never will be. */
static void chain_start_over(struct chain *c, const struct ledger *acked)
{
    chain_give_back_all(c);
    chronicle_start_over(&c->past, acked);
}

static enum chain_news chain_on_foreign(struct chain *c)
{
    struct accounts *a = accounts_of(c);
    char instance[UUID_TEXT_BYTES];

    chain_give_back_all(c);
    env_uuid(a->env, instance);
    const struct window_cut given_up = {.lost = chronicle_rename(&c->past, instance)};
    accounts_gave_up(a, given_up.lost);
    chain_alarm(c, &a->stats->alarms_identity_taken, "identity_taken", &given_up, "hits_lost");
    return CHAIN_RENAMED;
}

/* The baselines go back before the batch under way is given back: it is dirty again, and will carry what they say. */
static enum chain_news chain_roll_back(struct chain *c, uint64_t *alarm, const char *event, const struct ledger *server)
{
    struct window_cut cut = chronicle_roll_back(&c->past, server->seq);

    bool exact = cut.batches == c->past.acked.seq - server->seq;
    chain_alarm(c, alarm, event, &cut, exact ? "hits_lost" : "hits_lost_at_least");
    accounts_rolled_back(accounts_of(c), cut.replayed, cut.lost);
    chain_start_over(c, server);
    return CHAIN_GIVEN_UP;
}

/* A master that had missed batches was followed by one that has them. */
static enum chain_news chain_come_back(struct chain *c, const struct ledger *server)
{
    struct accounts *a = accounts_of(c);
    struct window_cut cut = chronicle_come_back(&c->past, server->seq);

    chain_alarm(c, &a->stats->alarms_rollback, "redis_rolled_back", &cut, "hits_lost_at_most");
    accounts_rolled_back(a, cut.replayed, cut.lost);
    chain_start_over(c, server);
    return CHAIN_GIVEN_UP;
}

static enum chain_news chain_on_unknown(struct chain *c, const struct ledger *server)
{
    return chronicle_strayed(&c->past, server) ? chain_come_back(c, server) : chain_on_foreign(c);
}

static enum chain_news chain_on_behind(struct chain *c, const struct ledger *server)
{
    enum window_answer known = window_knows(&c->past.window, server);

    if (known == WINDOW_NOT_OURS || (known == WINDOW_TOO_OLD && chronicle_strayed(&c->past, server)))
        return chain_on_unknown(c, server);
    return chain_roll_back(c, &accounts_of(c)->stats->alarms_rollback, "redis_rolled_back", server);
}

/* Emptied on purpose, or restarted from before our first batch? Only the administrator knows. */
static enum chain_news chain_on_missing(struct chain *c)
{
    static const struct ledger none;
    uint64_t *alarm = &accounts_of(c)->stats->alarms_ledger_missing;

    if (c->config.on_ledger_loss == LEDGER_LOSS_REPLAY)
        return chain_roll_back(c, alarm, "ledger_missing", &none);
    chain_alarm(c, alarm, "ledger_missing", &(struct window_cut){.lost = c->past.hits}, "hits_unproved");
    if (c->config.on_ledger_loss == LEDGER_LOSS_HALT)
        return CHAIN_HALTED;
    stat_add(&accounts_of(c)->stats->unproved_hits, chronicle_forget(&c->past));
    chain_start_over(c, &none);
    return CHAIN_GIVEN_UP;
}

/* A master that was cut off or stopped may not know that another one took its place, and its ledger is behind; what we
 * would conclude from that could not be undone. One that was stopped learns it in moments. One that is cut off from the
 * others, but not from us, never does, so another node must have it for the master, too. (Two that are cut off together
 * could both be wrong.) Where there is nobody else to ask, time tells: without a majority a master stops serving after
 * cluster-node-timeout. */
static bool chain_believes_loss(struct chain *c)
{
    uint64_t now_ms = accounts_now_ms(accounts_of(c));

    if (!c->loss_seen_ms)
        c->loss_seen_ms = now_ms ? now_ms : 1;
    bool vouched = c->vouched_ms >= c->loss_seen_ms;
    return c->asked_ms >= c->loss_seen_ms + (vouched ? c->config.loss_vouched_ms : c->config.loss_alone_ms);
}

void chain_ask(struct chain *c) { c->asked_ms = accounts_now_ms(accounts_of(c)); }

void chain_vouch(struct chain *c, uint64_t asked_ms) { c->vouched_ms = asked_ms; }

void chain_leave(struct chain *c) { c->loss_seen_ms = c->vouched_ms = 0; }

enum chain_news chain_reconcile(struct chain *c, const struct ledger *server)
{
    const struct ledger *batch = c->batch ? &c->batch->ledger : NULL;
    const struct ledger *replaced = c->replaced ? &c->replaced->ledger : NULL;
    enum ledger_verdict verdict = ledger_judge(&c->past.acked, batch, replaced, server);

    c->proved = NULL;
    if ((verdict == LEDGER_MISSING || verdict == LEDGER_BEHIND) && c->config.loss_alone_ms && !chain_believes_loss(c))
        return CHAIN_DOUBTED;
    c->loss_seen_ms = 0;
    switch (verdict) {
    case LEDGER_AS_ACKED: return CHAIN_UNCHANGED;
    case LEDGER_BATCH_APPLIED: return chain_applied_unseen(c, &c->batch);
    case LEDGER_REPLACED_APPLIED: return chain_applied_unseen(c, &c->replaced);
    case LEDGER_MISSING: return chain_on_missing(c);
    case LEDGER_BEHIND: return chain_on_behind(c, server);
    case LEDGER_FOREIGN: return chain_on_unknown(c, server);
    }
    return CHAIN_UNCHANGED;
}

enum chain_news chain_reconcile_nonsense(struct chain *c)
{
    c->proved = NULL;
    return chain_on_foreign(c);
}

/* ---- life ---- */

static int chain_resume(struct chain *c)
{
    bool open, replaces;
    int failed = chronicle_resume(&c->past, &c->batches[0], &open, &c->batches[1], &replaces);

    c->batch = open ? &c->batches[0] : NULL;
    c->replaced = replaces ? &c->batches[1] : NULL;
    return failed;
}

int chain_init(struct chain *c, const struct chain_config *config)
{
    uint32_t items_max = config->batch_keys_max;

    *c = (struct chain){.config = *config};
    chronicle_init(&c->past, &config->past);
    uint32_t parts_max = chronicle_parts_max(&c->past);
    int failed = 0;
    for (uint32_t i = 0; i < CHAIN_BATCHES && !failed; i++)
        failed = batch_init(&c->batches[i], items_max, parts_max);
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
    chronicle_fini(&c->past);
}
