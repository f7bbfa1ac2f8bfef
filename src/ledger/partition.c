#include "ledger/partition.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "ledger/look.h"
#include "ledger/refusals.h"
#include "sync/atomic.h"

#define NILS_IN_A_ROW_MAX 3 /* then someone keeps touching our ledger: slow down */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define DOUBT_PAUSE_MS 500
#define LARGE_KEYS_MIN 16 /* a smaller batch is not what keeps a link from passing it */

struct partition {
    struct chain chain;
    uint64_t resume_ms;                 /* no arm and no batch before */
    uint64_t looked_ms;                 /* when the ledger was read last */
    uint32_t refusals;                  /* in a row, for the back-off */
    uint32_t nils;                      /* in a row */
    enum redis_error_class refusal;     /* why the batch under way is refused */
    enum redis_error_class arm_refusal; /* why the arm is */
    bool met;                           /* the ledger was read and judged on this connection */
    bool armed;
    bool looking;   /* at the keys of chain.proved; the answers come before the ledger's */
    bool doubting;  /* what the ledger says */
    bool asks;      /* does the server take writes? chain_probe() is to be sent … */
    bool probing;   /* … or is */
    bool halted;    /* on-ledger-loss=halt */
    bool too_large; /* the batch, for the link */
    struct refused refused;
    bool refused_at_arm;
};

static void partition_pause_ms(struct partition *p, uint64_t delay)
{
    const struct accounts *a = p->chain.config.past.accounts;

    p->resume_ms = accounts_now_ms(a) + backoff_part_ms(delay, env_random(a->env));
}

static void partition_pause(struct partition *p)
{
    const struct accounts *a = p->chain.config.past.accounts;

    p->resume_ms = accounts_now_ms(a) + backoff_ms(p->refusals++, PAUSE_MIN_MS, PAUSE_MAX_MS, env_random(a->env));
}

static int partition_all_is_well(struct partition *p)
{
    p->refusals = 0;
    p->nils = 0;
    refusals_end(p->chain.config.past.accounts->refusals, &p->refused);
    return 1;
}

/* ---- arming ---- */

static enum redis_error_class partition_on_error(struct partition *p, struct slice text, const char *command,
                                                 enum redis_error_class *where)
{
    enum redis_error_class c = redis_error_classify(text);

    accounts_count_error(p->chain.config.past.accounts, c);
    if (*where == REDIS_ERROR_NONE || *where == REDIS_ERROR_EXECABORT) {
        *where = c;
        refused_note(&p->refused, command, text);
    }
    return c;
}

uint32_t partition_compose_looks(struct partition *p, struct buf *out)
{
    const struct chronicle_config *past = &p->chain.config.past;
    const struct batch *b = p->chain.proved;
    struct buf scratch = {0};

    p->looking = b;
    for (uint32_t i = 0; b && i < b->items_count; i++)
        look_append(out, &scratch, past->prefix, keys_name(past->accounts->keys, b->items[i].key));
    buf_fini(&scratch);
    return b ? b->items_count : 0;
}

int partition_on_look(struct partition *p, const struct reply *reply, uint32_t index)
{
    static const enum redis_error_class refused[] = {
        [LOOK_WRONG_TYPE] = REDIS_ERROR_WRONGTYPE, [LOOK_NO_INTEGER] = REDIS_ERROR_NOT_INTEGER};
    int64_t value;
    enum look look = look_read(reply, &value);

    if (look == LOOK_WRONG_TYPE || look == LOOK_NO_INTEGER)
        batch_refuse(p->chain.proved, index, refused[look]);
    if (look != LOOK_REFUSED)
        return 0;
    if (reply->type != REPLY_ERROR)
        return -EPROTO;
    enum redis_error_class ignored = REDIS_ERROR_NONE, c = redis_error_classify(reply->text);
    /* May this user not read the key, then nothing is known of it, and nothing ever will be. */
    bool for_good = c == REDIS_ERROR_NOPERM || c == REDIS_ERROR_NOPERM_KEY;
    partition_on_error(p, reply->text, "getrange", for_good ? &ignored : &p->arm_refusal);
    return 0;
}

void partition_begin_arm(struct partition *p)
{
    p->arm_refusal = REDIS_ERROR_NONE;
    p->met = false;
    p->armed = false;
    p->doubting = false;
    p->asks = false;
    chain_ask(&p->chain);
}

int partition_on_watch(struct partition *p, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, "watch", &p->arm_refusal);
    else if (!reply_is_status(reply, SLICE("OK")))
        return -EPROTO;
    return 0;
}

static int partition_on_news(struct partition *p, enum chain_news news)
{
    p->met = news != CHAIN_RENAMED && news != CHAIN_DOUBTED && news != CHAIN_PROVED &&
             news != CHAIN_ASKS; /* else another look is due */
    p->doubting = news == CHAIN_DOUBTED;
    p->asks = news == CHAIN_ASKS;
    p->halted = news == CHAIN_HALTED;
    return news == CHAIN_RESOLVED ? partition_all_is_well(p) : 0;
}

int partition_on_ledger(struct partition *p, const struct reply *reply)
{
    struct ledger server;

    p->looked_ms = accounts_now_ms(p->chain.config.past.accounts);
    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, "get", &p->arm_refusal);
    else if (reply->type != REPLY_NIL && reply->type != REPLY_STRING)
        return -EPROTO;
    /* Without a WATCH in front of it an answer proves nothing. */
    if (p->arm_refusal)
        return 0;
    if (p->looking)
        p->chain.proved->examined = true;
    if (reply->type == REPLY_NIL)
        return partition_on_news(p, chain_reconcile(&p->chain, NULL));
    if (ledger_parse(reply->text, &server))
        return partition_on_news(p, chain_reconcile(&p->chain, &server));
    return partition_on_news(p, chain_reconcile_nonsense(&p->chain));
}

int partition_on_multi(struct partition *p, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, "multi", &p->arm_refusal);
    else if (!reply_is_status(reply, SLICE("OK")))
        return -EPROTO;
    p->armed = (p->met || p->asks) && !p->arm_refusal && !p->halted;
    if (p->armed && p->refused_at_arm)
        refusals_end(p->chain.config.past.accounts->refusals, &p->refused);
    return 0;
}

/* ---- sending ---- */

static int partition_make_batch(struct partition *p, uint64_t now_ms)
{
    const struct batch *b = p->chain.batch;
    bool too_large = p->too_large;

    p->too_large = false;
    if (!b)
        return chain_make_batch(&p->chain, now_ms);
    /* The write of an earlier process is not known any more. */
    return too_large || b->refused || (b->inherited && b->overwrites) ? chain_replace(&p->chain) : 0;
}

static const struct batch *partition_begin_probe(struct partition *p)
{
    const struct batch *b = chain_probe(&p->chain);

    if (!b) {
        partition_pause(p);
        return NULL;
    }
    p->probing = true;
    p->refusal = REDIS_ERROR_NONE;
    p->armed = false;
    return b;
}

const struct batch *partition_begin_send(struct partition *p, uint64_t now_ms)
{
    assert(p->armed);
    if (now_ms < p->resume_ms)
        return NULL;
    if (p->asks)
        return partition_begin_probe(p);
    int failed = partition_make_batch(p, now_ms);
    if (failed)
        partition_pause(p);
    struct batch *b = p->chain.batch;
    if (failed || !b)
        return NULL;
    stat_add(&p->chain.config.past.accounts->stats->batches_retried, b->sends++ ? 1 : 0);
    batch_forget_refusals(b);
    b->examined = false;
    b->copies++;
    p->refusal = REDIS_ERROR_NONE;
    p->armed = false;
    return b;
}

int partition_on_queued(struct partition *p, const struct reply *reply, uint32_t index)
{
    struct batch *b = p->chain.batch;

    if (reply_is_status(reply, SLICE("QUEUED")))
        return 0;
    if (reply->type != REPLY_ERROR)
        return -EPROTO;
    if (p->probing) {
        partition_on_error(p, reply->text, "set", &p->refusal);
        return 0;
    }
    if (index < b->items_count && redis_error_classify(reply->text) == REDIS_ERROR_NOPERM_KEY) {
        accounts_count_error(p->chain.config.past.accounts, REDIS_ERROR_NOPERM_KEY);
        batch_refuse(b, index, REDIS_ERROR_NOPERM_KEY);
    } else if (b->write.there && index == b->items_count) {
        /* Whatever the reason is: a write that is not allowed must not hold the hits up. */
        accounts_count_error(p->chain.config.past.accounts, redis_error_classify(reply->text));
        batch_refuse_write(b);
    } else {
        partition_on_error(p, reply->text, batch_command(b, index), &p->refusal);
    }
    return 0;
}

static int partition_on_probed(struct partition *p, const struct reply *reply)
{
    p->probing = false;
    if (reply->type == REPLY_ERROR) {
        partition_on_error(p, reply->text, "exec", &p->refusal);
        return 0;
    }
    if (reply->type == REPLY_NIL) { /* the ledger is another by now */
        p->nils++;
        return 0;
    }
    if (reply->type != REPLY_ARRAY || reply->items_count != 1)
        return -EPROTO;
    if (reply->items[0].type == REPLY_ERROR) {
        partition_on_error(p, reply->items[0].text, "set", &p->refusal);
        return 0;
    }
    chain_probed(&p->chain);
    return partition_all_is_well(p);
}

int partition_on_exec(struct partition *p, const struct reply *reply)
{
    if (p->probing)
        return partition_on_probed(p, reply);
    bool carried = p->chain.batch->items_count > 0;

    if (reply->type == REPLY_ARRAY && accounts_fits(p->chain.batch, reply)) {
        if (chain_answered(&p->chain, reply)) {
            if (carried)
                chain_grow(&p->chain);
            return partition_all_is_well(p);
        }
        partition_on_error(p, reply->items[reply->items_count - 1].text, "set", &p->refusal);
    } else if (reply->type == REPLY_NIL) {
        p->chain.batch->copies--; /* this copy is refused for good */
        p->nils++;
    } else if (reply->type == REPLY_ERROR) {
        /* An error of a class we do not know might come from a proxy that knows no more than we do. */
        if (partition_on_error(p, reply->text, "exec", &p->refusal) != REDIS_ERROR_OTHER)
            p->chain.batch->copies--;
    } else {
        return -EPROTO;
    }
    return 0;
}

enum redis_error_class partition_refusal(const struct partition *p)
{
    return p->arm_refusal ? p->arm_refusal : p->refusal;
}

/* ---- what next ---- */

enum refusal_action partition_settle(struct partition *p)
{
    enum redis_error_class why = partition_refusal(p);
    bool key_only = why == REDIS_ERROR_EXECABORT && p->chain.batch && p->chain.batch->refused;
    enum refusal_action action = key_only ? REFUSAL_NONE : refusal_action(why);

    p->refused_at_arm = p->arm_refusal;
    p->arm_refusal = REDIS_ERROR_NONE;
    p->refusal = REDIS_ERROR_NONE;
    if (p->doubting && action == REFUSAL_NONE) {
        partition_pause_ms(p, DOUBT_PAUSE_MS);
        return REFUSAL_REMAP;
    }
    if (action == REFUSAL_PAUSE || action == REFUSAL_REMAP || p->nils >= NILS_IN_A_ROW_MAX)
        partition_pause(p);
    return action;
}

void partition_did_not_pass(struct partition *p)
{
    const struct batch *b = p->chain.batch;

    p->too_large = b && b->items_count >= LARGE_KEYS_MIN && !p->chain.replaced;
    if (p->too_large)
        chain_shrink(&p->chain);
}

void partition_unlink(struct partition *p)
{
    p->arm_refusal = REDIS_ERROR_NONE;
    p->refusal = REDIS_ERROR_NONE;
    p->met = false;
    p->armed = false;
    p->doubting = false;
    p->asks = false;
    p->probing = false;
    chain_unlink(&p->chain);
}

void partition_leave(struct partition *p)
{
    partition_unlink(p);
    chain_leave(&p->chain);
}

void partition_vouch(struct partition *p, uint64_t asked_ms) { chain_vouch(&p->chain, asked_ms); }

static bool partition_wants(const struct partition *p)
{
    return !p->met || p->chain.batch || chain_has_writes(&p->chain) || chain_has_hits(&p->chain);
}

bool partition_has_work(const struct partition *p, uint64_t now_ms)
{
    return now_ms >= partition_wake_ms(p) || (!p->halted && now_ms >= p->resume_ms && chain_is_old(&p->chain, now_ms));
}

uint64_t partition_wake_ms(const struct partition *p)
{
    uint64_t due_ms = partition_wants(p) ? 0 : chain_look_ms(&p->chain, p->looked_ms);

    if (p->halted)
        return UINT64_MAX;
    return due_ms > p->resume_ms ? due_ms : p->resume_ms;
}

bool partition_is_sure(const struct partition *p) { return p->met && chain_is_sure(&p->chain); }
bool partition_is_armed(const struct partition *p) { return p->armed; }
bool partition_busy(const struct partition *p) { return p->chain.batch || p->chain.replaced || p->chain.next; }
void partition_prepare(struct partition *p) { chain_prepare(&p->chain); }
struct refused *partition_refused(struct partition *p) { return &p->refused; }
uint32_t partition_number(const struct partition *p) { return p->chain.config.past.number; }
struct slice partition_ledger_key(const struct partition *p)
{
    return (struct slice){p->chain.past.ledger_key, strlen(p->chain.past.ledger_key)};
}

/* ---- life ---- */

int partition_create(struct partition **out, const struct chain_config *config)
{
    struct partition *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    if (chain_init(&p->chain, config) < 0) {
        free(p);
        return -ENOMEM;
    }
    *out = p;
    return 0;
}

void partition_destroy(struct partition *p)
{
    if (!p)
        return;
    chain_fini(&p->chain);
    free(p);
}
