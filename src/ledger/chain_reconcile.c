/* What the server's ledger says, and what follows when it is not the one to expect. */
#include "ledger/chain_inside.h"
#include "ledger/moves.h"
#include "sync/atomic.h"

/* `lost_is`: what the number of lost hits is called, as it may be a bound. */
static void chain_alarm(struct chain *c, uint64_t *kind, const char *event, const struct move *m, const char *lost_is)
{
    struct accounts *a = chain_accounts(c);

    stat_add(kind, 1);
    stat_add(&a->stats->alarms, 1);
    ENV_LOG(a->env, LOG_LEVEL_ERROR, event, log_str("ledger", c->history.ledger_key),
            log_num("acked", (int64_t)c->history.acked.seq), log_num("hits_replayed", (int64_t)m->replayed),
            log_num(lost_is, (int64_t)m->lost), log_num("hits_found", (int64_t)m->found));
}

/* Another process has what is given up here, and may have some of what is pending, or all of it: a clone knows what its
 * twin had counted. */
static enum chain_news chain_on_foreign(struct chain *c)
{
    struct accounts *a = chain_accounts(c);
    char instance[UUID_TEXT_BYTES];

    chain_give_back_all(c);
    env_uuid(a->env, instance);
    uint64_t acked = c->history.acked.seq, given_up = history_rename(&c->history, instance);
    uint64_t pending = keys_pending_of(a->keys, c->config.history.number);
    accounts_gave_up(a, given_up);
    stat_add(&a->stats->doubled_hits_at_most, pending);
    stat_add(&a->stats->alarms_identity_taken, 1);
    stat_add(&a->stats->alarms, 1);
    ENV_LOG(a->env, LOG_LEVEL_ERROR, "identity_taken", log_num("acked", (int64_t)acked),
            log_num("hits_lost", (int64_t)given_up), log_num("hits_doubled_at_most", (int64_t)pending),
            log_str("ledger", c->history.ledger_key));
    return CHAIN_RENAMED;
}

/* Is the number of lost hits exact? When the window does not know every batch that was left, there are more. When it
 * does not know what was in them, but what is entered may hold it as well, there are less. */
static const char *chain_lost_is(const struct chain *c, const struct move *m)
{
    if (m->to == WINDOW_NONE && m->batches != c->history.acked.seq - m->goal.seq)
        return "hits_lost_at_least";
    return m->lost && m->found ? "hits_lost_at_most" : "hits_lost";
}

static enum chain_news chain_go(struct chain *c, struct move *m, uint64_t *alarm, const char *event)
{
    const char *lost_is = chain_lost_is(c, m);

    if (move_take_back(m))
        return CHAIN_ASKS;
    chain_alarm(c, alarm, event, m, lost_is);
    return move_finish(m) ? CHAIN_ASKS : CHAIN_GIVEN_UP;
}

static const char *chain_unproved_is(const struct chain *c)
{
    return c->history.partial ? "hits_unproved_at_least" : "hits_unproved";
}

static enum chain_news chain_unprove(struct chain *c, const struct ledger *server)
{
    const struct move unproved = {.lost = c->history.hits};

    chain_alarm(c, &chain_accounts(c)->stats->alarms_rollback, "redis_rolled_back", &unproved, chain_unproved_is(c));
    stat_add(&chain_accounts(c)->stats->unproved_hits, c->history.hits);
    move_into_the_dark(&c->history, server);
    return CHAIN_GIVEN_UP;
}

/* A batch that was given up, and that this server has executed: whether every key of it is to be seen. */
static bool chain_must_look(const struct window_entry *e) { return e && e->open && e->parts_count; }

static enum chain_news chain_revive(struct chain *c, const struct ledger *server)
{
    struct window *w = &c->history.window;
    struct batch *b = chain_free_batch(c);

    if (history_revive(&c->history, window_entry(w, window_find(w, server)), b))
        return CHAIN_ASKS;
    c->batch = c->proved = b;
    return CHAIN_PROVED;
}

/* Another copy of the store answers, or this one forgot. What came over the fence is gone with the server that had it,
 * and what did not cannot come any more: its WATCH saw another ledger. So the batch under way was not applied here and
 * never will be. */
static enum chain_news chain_move(struct chain *c, const struct ledger *server)
{
    const struct window *w = &c->history.window;
    struct ledger goal = *server;
    struct move m;

    chain_give_back_all(c);
    window_expire(&c->history.window,
                  accounts_now_ms(chain_accounts(c))); /* cells beyond it may have other names by now */
    uint64_t to = window_find(w, server);
    const struct window_entry *e = window_entry(w, to);
    bool look = chain_must_look(e);
    if (look) {
        const struct window_entry *parent = window_entry(w, e->parent);
        to = e->parent;
        goal = parent ? parent->ledger : (struct ledger){0};
    }
    if (look && to == w->at)
        return chain_revive(c, server);
    if (!move_plan(&m, &c->history, to, &goal))
        return chain_unprove(c, server);
    enum chain_news news = chain_go(c, &m, &chain_accounts(c)->stats->alarms_rollback, "redis_rolled_back");
    return news == CHAIN_GIVEN_UP && look ? chain_revive(c, server) : news;
}

/* A ledger that the window does not have. */
static enum chain_news chain_on_unknown(struct chain *c, const struct ledger *server)
{
    struct move m;

    if (history_strayed(&c->history, server)) {
        chain_give_back_all(c);
        return chain_unprove(c, server);
    }
    if (server->seq >= c->history.acked.seq || window_has_seq(&c->history.window, server->seq) != WINDOW_TOO_OLD)
        return chain_on_foreign(c);
    chain_give_back_all(c);
    move_plan(&m, &c->history, WINDOW_NONE, server);
    return chain_go(c, &m, &chain_accounts(c)->stats->alarms_rollback, "redis_rolled_back");
}

/* Did this server's data part from those that we stored before our first batch? They did when they are of another
 * lineage: nobody deletes a ledger while the store changes hands. Then all that was stored is owed to it. That is only
 * so when the window has all of it. */
static bool chain_parted_before(const struct chain *c, const struct move *m)
{
    return chain_options(c)->on_ledger_loss == LEDGER_LOSS_RESUME && c->lineage && c->stored_lineage &&
           c->lineage != c->stored_lineage && !c->history.partial && m->lost == 0;
}

/* Emptied on purpose, or restarted from before our first batch? Only the administrator knows. */
static enum chain_news chain_on_missing(struct chain *c)
{
    static const struct ledger none;
    uint64_t *alarm = &chain_accounts(c)->stats->alarms_ledger_missing;
    struct move m;

    move_plan(&m, &c->history, window_beginning(&c->history.window), &none);
    if (chain_options(c)->on_ledger_loss == LEDGER_LOSS_REPLAY || chain_parted_before(c, &m)) {
        chain_give_back_all(c);
        return chain_go(c, &m, alarm, "ledger_missing");
    }
    m = (struct move){.lost = c->history.hits};
    chain_alarm(c, alarm, "ledger_missing", &m, chain_unproved_is(c));
    if (chain_options(c)->on_ledger_loss == LEDGER_LOSS_HALT)
        return CHAIN_HALTED;
    chain_give_back_all(c);
    stat_add(&chain_accounts(c)->stats->unproved_hits, history_forget(&c->history));
    history_start_over(&c->history, &none);
    return CHAIN_GIVEN_UP;
}

/* A master that was cut off or stopped may not know that another one took its place, and its ledger is behind; what we
 * would conclude from that could not be undone. One that was stopped learns it in moments. One that is cut off from the
 * others, but not from us, never does, so another node must have it for the master, too. (Two that are cut off together
 * could both be wrong.) Where there is nobody else to ask, time tells: without a majority a master stops serving after
 * cluster-node-timeout. */
static bool chain_believes_loss(struct chain *c)
{
    uint64_t now_ms = accounts_now_ms(chain_accounts(c));

    if (!c->loss_seen_ms)
        c->loss_seen_ms = now_ms ? now_ms : 1;
    bool vouched = c->vouched_ms >= c->loss_seen_ms;
    return c->asked_ms >= c->loss_seen_ms + (vouched ? c->config.loss_vouched_ms : c->config.loss_alone_ms);
}

void chain_ask(struct chain *c, uint64_t lineage)
{
    c->asked_ms = accounts_now_ms(chain_accounts(c));
    c->lineage = lineage;
}

void chain_vouch(struct chain *c, uint64_t asked_ms) { c->vouched_ms = asked_ms; }

void chain_unlink(struct chain *c) { c->takes_writes = false; }

void chain_leave(struct chain *c) { c->loss_seen_ms = c->vouched_ms = 0; }

/* Has it what we know of, and more? Then there is nothing to take back. */
static bool chain_is_ahead(const struct chain *c, const struct ledger *server)
{
    const struct window *w = &c->history.window;
    uint64_t to = server ? window_find(w, server) : WINDOW_NONE;

    if (!server)
        return false;
    return to == WINDOW_NONE ? server->seq >= c->history.acked.seq : window_meet(w, to, w->at) == w->at;
}

struct batch *chain_probe(struct chain *c)
{
    const struct slice ledger_key = {c->history.ledger_key, strlen(c->history.ledger_key)};

    c->takes_writes = false;
    return batch_compose_probe(&c->probe, ledger_key) ? NULL : &c->probe;
}

void chain_probed(struct chain *c) { c->takes_writes = true; }

/* What follows from a ledger that is not ours to expect cannot always be undone. */
static enum chain_news chain_may_act(struct chain *c, const struct ledger *server)
{
    static const struct ledger none;
    const struct ledger *shown = server ? server : &none;

    if (c->config.loss_alone_ms && !chain_is_ahead(c, server) && !chain_believes_loss(c))
        return CHAIN_DOUBTED;
    if (!c->takes_writes || !ledger_equals(&c->probe.ledger, shown)) {
        c->takes_writes = false;
        batch_begin(&c->probe, shown);
        return CHAIN_ASKS;
    }
    c->takes_writes = false;
    c->loss_seen_ms = 0;
    return CHAIN_UNCHANGED;
}

static enum chain_news chain_on_acked(struct chain *c)
{
    if (!c->batch || !c->batch->revived)
        return CHAIN_UNCHANGED;
    chain_give_back(c, &c->batch); /* the server that had it is gone again */
    history_start_over(&c->history, &c->history.acked);
    return CHAIN_GIVEN_UP;
}

enum chain_news chain_reconcile(struct chain *c, const struct ledger *server)
{
    const struct ledger *batch = c->batch ? &c->batch->ledger : NULL;
    const struct ledger *replaced = c->replaced ? &c->replaced->ledger : NULL;
    enum ledger_verdict verdict = ledger_judge(&c->history.acked, batch, replaced, server);
    bool expected = verdict == LEDGER_AS_ACKED || verdict == LEDGER_BATCH_APPLIED || verdict == LEDGER_REPLACED_APPLIED;
    enum chain_news news = expected ? CHAIN_UNCHANGED : chain_may_act(c, server);

    c->proved = NULL;
    if (news != CHAIN_UNCHANGED)
        return news;
    c->loss_seen_ms = 0;
    switch (verdict) {
    case LEDGER_AS_ACKED: return chain_on_acked(c);
    case LEDGER_BATCH_APPLIED: return chain_applied_unseen(c, &c->batch);
    case LEDGER_REPLACED_APPLIED: return chain_applied_unseen(c, &c->replaced);
    case LEDGER_MISSING: return chain_on_missing(c);
    case LEDGER_BEHIND:
    case LEDGER_FOREIGN: break;
    }
    return window_find(&c->history.window, server) == WINDOW_NONE ? chain_on_unknown(c, server) : chain_move(c, server);
}

enum chain_news chain_reconcile_nonsense(struct chain *c)
{
    enum chain_news news = chain_may_act(c, &(struct ledger){.nonce = 1});

    c->proved = NULL;
    return news == CHAIN_UNCHANGED ? chain_on_foreign(c) : news;
}
