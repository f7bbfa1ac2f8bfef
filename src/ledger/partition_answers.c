/* What became of each step of an arm or a batch. */
#include "ledger/partition_inside.h"

static enum partition_news partition_all_is_well(struct partition *p)
{
    p->refusals = 0;
    p->nils = 0;
    return PARTITION_PROVED;
}

static void partition_note_refusal(struct partition *p, const struct outcome *o, const char *command,
                                   enum redis_error_class *where)
{
    accounts_count_error(p->chain.config.history.accounts, o->why);
    if (*where == REDIS_ERROR_NONE || *where == REDIS_ERROR_EXECABORT) {
        *where = o->why;
        refused_note(&p->refused, command, o->text);
    }
}

/* ---- of an arm ---- */

static enum partition_news partition_on_look(struct partition *p, uint32_t index, const struct outcome *o)
{
    if (o->kind == OUTCOME_DONE && o->counted)
        batch_told(p->chain.proved, index, o->number);
    if (o->kind != OUTCOME_REFUSED)
        return PARTITION_GOES_ON;
    if (o->why == REDIS_ERROR_WRONGTYPE || o->why == REDIS_ERROR_NOT_INTEGER) {
        batch_refuse(p->chain.proved, index, o->why);
        return PARTITION_GOES_ON;
    }
    enum redis_error_class ignored = REDIS_ERROR_NONE;
    /* May this user not read the key, then nothing is known of it, and nothing ever will be. */
    bool for_good = o->why == REDIS_ERROR_NOPERM || o->why == REDIS_ERROR_NOPERM_KEY;
    partition_note_refusal(p, o, "getrange", for_good ? &ignored : &p->arm_refusal);
    return PARTITION_GOES_ON;
}

static enum partition_news partition_on_watch(struct partition *p, const struct outcome *o)
{
    if (o->kind == OUTCOME_REFUSED)
        partition_note_refusal(p, o, "watch", &p->arm_refusal);
    return PARTITION_GOES_ON;
}

static enum chain_news partition_judge(struct partition *p, const struct outcome *o)
{
    struct ledger server;

    if (o->kind == OUTCOME_NONE)
        return chain_reconcile(&p->chain, NULL);
    if (ledger_parse(o->text, &server))
        return chain_reconcile(&p->chain, &server);
    return chain_reconcile_nonsense(&p->chain);
}

static enum partition_phase phase_after(enum chain_news news)
{
    switch (news) {
    case CHAIN_UNCHANGED:
    case CHAIN_RESOLVED:
    case CHAIN_GIVEN_UP:
    case CHAIN_HALTED: return PARTITION_READY;
    case CHAIN_RENAMED: return PARTITION_UNMET;
    case CHAIN_DOUBTED: return PARTITION_DOUBTING;
    case CHAIN_PROVED: return PARTITION_LOOKING;
    case CHAIN_ASKS: return PARTITION_ASKING;
    }
    return PARTITION_UNMET;
}

static enum partition_news partition_on_ledger(struct partition *p, const struct outcome *o)
{
    p->looked_ms = accounts_now_ms(p->chain.config.history.accounts);
    if (o->kind == OUTCOME_REFUSED)
        partition_note_refusal(p, o, "get", &p->arm_refusal);
    /* Without a WATCH in front of it an answer proves nothing. */
    if (p->arm_refusal)
        return PARTITION_GOES_ON;
    if (p->chain.proved)
        p->chain.proved->examined = true;
    enum chain_news news = partition_judge(p, o);
    p->halted = news == CHAIN_HALTED;
    partition_move(p, phase_after(news));
    return news == CHAIN_RESOLVED ? partition_all_is_well(p) : PARTITION_GOES_ON;
}

/* MULTI is answered well: from here on a batch may be sent, if the ledger allows one. */
static enum partition_news partition_arm(struct partition *p)
{
    if (p->halted || (p->phase != PARTITION_READY && p->phase != PARTITION_ASKING))
        return PARTITION_GOES_ON;
    partition_move(p, p->phase == PARTITION_READY ? PARTITION_ARMED : PARTITION_ASK_ARMED);
    return p->refused_at_arm ? PARTITION_ACCEPTED : PARTITION_GOES_ON;
}

static enum partition_news partition_on_multi(struct partition *p, const struct outcome *o)
{
    if (o->kind == OUTCOME_REFUSED)
        partition_note_refusal(p, o, "multi", &p->arm_refusal);
    if (p->phase == PARTITION_ARMING) /* the ledger was not told, or not believed */
        partition_move(p, PARTITION_UNMET);
    return p->arm_refusal ? PARTITION_GOES_ON : partition_arm(p);
}

/* ---- of a batch ---- */

/* A set of highest keys that this user may not touch, or commands that the server does not have, hold no hit up. */
static bool concerns_it_alone(enum redis_error_class why)
{
    return why == REDIS_ERROR_NOPERM || why == REDIS_ERROR_NOPERM_KEY || why == REDIS_ERROR_OTHER;
}

static enum partition_news partition_on_queued(struct partition *p, uint32_t index, const struct outcome *o)
{
    struct batch *b = p->chain.batch;

    if (o->kind == OUTCOME_DONE)
        return PARTITION_GOES_ON;
    if (p->phase == PARTITION_ASKED) {
        partition_note_refusal(p, o, "set", &p->refusal);
    } else if (index < b->items_count && o->why == REDIS_ERROR_NOPERM_KEY) {
        accounts_count_error(p->chain.config.history.accounts, o->why);
        batch_refuse(b, index, o->why);
    } else if (b->write.there && index == b->items_count) {
        /* Whatever the reason is: a write that is not allowed must not hold the hits up. */
        accounts_count_error(p->chain.config.history.accounts, o->why);
        batch_refuse_write(b);
    } else if (index >= batch_sums_at(b) && index < batch_tops_at(b) && o->why == REDIS_ERROR_NOPERM_KEY) {
        accounts_count_error(p->chain.config.history.accounts, o->why);
        batch_refuse_sum(b, index - batch_sums_at(b), o->why);
    } else if (index >= batch_tops_at(b) && index < batch_commands(b) && concerns_it_alone(o->why)) {
        accounts_count_error(p->chain.config.history.accounts, o->why);
        batch_refuse_top(b, index - batch_tops_at(b), o->why);
    } else {
        partition_note_refusal(p, o, batch_command(b, index), &p->refusal);
    }
    return PARTITION_GOES_ON;
}

static enum partition_news partition_on_probed(struct partition *p, const struct outcome *o)
{
    if (o->kind == OUTCOME_NONE) { /* the ledger is another by now */
        p->nils++;
        return PARTITION_GOES_ON;
    }
    if (o->why) {
        partition_note_refusal(p, o, o->kind == OUTCOME_REFUSED ? "exec" : "set", &p->refusal);
        return PARTITION_GOES_ON;
    }
    chain_probed(&p->chain);
    return partition_all_is_well(p);
}

static enum partition_news partition_on_executed(struct partition *p, const struct outcome *o)
{
    bool carried = p->chain.batch->items_count > 0;

    if (!chain_answered(&p->chain, o->why == REDIS_ERROR_NONE)) {
        partition_note_refusal(p, o, "set", &p->refusal);
        return PARTITION_GOES_ON;
    }
    if (carried)
        chain_grow(&p->chain);
    return partition_all_is_well(p);
}

static enum partition_news partition_on_sent(struct partition *p, const struct outcome *o)
{
    if (o->kind == OUTCOME_DONE)
        return partition_on_executed(p, o);
    if (o->kind == OUTCOME_NONE)
        p->nils++;
    else
        partition_note_refusal(p, o, "exec", &p->refusal);
    /* This copy is refused for good. An error of a class that we do not know might come from a proxy that knows no more
     * than we do. */
    if (o->why != REDIS_ERROR_OTHER)
        p->chain.batch->copies--;
    return PARTITION_GOES_ON;
}

static enum partition_news partition_on_exec(struct partition *p, const struct outcome *o)
{
    bool asked = p->phase == PARTITION_ASKED, arm_follows = p->arm_follows;
    enum partition_news news = asked ? partition_on_probed(p, o) : partition_on_sent(p, o);

    p->arm_follows = false;
    partition_move(p, arm_follows ? PARTITION_ARMING : asked ? PARTITION_UNMET : PARTITION_READY);
    return news;
}

enum partition_news partition_take(struct partition *p, enum partition_step what, uint32_t index,
                                   const struct outcome *o)
{
    switch (what) {
    case STEP_QUEUED: return partition_on_queued(p, index, o);
    case STEP_EXEC: return partition_on_exec(p, o);
    case STEP_LOOK: return partition_on_look(p, index, o);
    case STEP_WATCH: return partition_on_watch(p, o);
    case STEP_LEDGER: return partition_on_ledger(p, o);
    case STEP_MULTI: return partition_on_multi(p, o);
    case STEPS: break;
    }
    return PARTITION_GOES_ON;
}
