#include "flush/partition.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "flush/refusal.h"
#include "sync/atomic.h"

/*        link ready          timer          WATCH, GET L, MULTI answered
 *   DOWN ──────────► UNARMED ───────► ARMING ─────────────────────────────► ARMED
 *    ▲                  ▲              │ │▲▲      DISCARD · reads · arm       │ │
 *    │                  └──────────────┘ ││└────────────────────────────────┘ │
 *    │        arm refused, new identity  ││      EXEC answered          batch │
 *    │                                   │└──────────────── SENT ◄────────────┘
 *    │ link down                         ▼
 *    └─── from any but HALTED ◄─       HALTED (on-ledger-loss=halt)
 *
 * While the server refuses batches (OOM, MISCONF, …) the partition stays ARMED until `resume_ms`. */
enum partition_state {
    PARTITION_DOWN,
    PARTITION_UNARMED,
    PARTITION_ARMING,
    PARTITION_ARMED,
    PARTITION_SENT,
    PARTITION_HALTED,
    PARTITION_STATES,
};

static const char *const state_names[PARTITION_STATES] = {"down", "unarmed", "arming", "armed", "sent", "halted"};

static const bool may_move[PARTITION_STATES][PARTITION_STATES] = {
    [PARTITION_DOWN] = {[PARTITION_UNARMED] = true},
    [PARTITION_UNARMED] = {[PARTITION_ARMING] = true, [PARTITION_DOWN] = true},
    [PARTITION_ARMING] =
        {[PARTITION_ARMED] = true, [PARTITION_UNARMED] = true, [PARTITION_HALTED] = true, [PARTITION_DOWN] = true},
    [PARTITION_ARMED] = {[PARTITION_SENT] = true, [PARTITION_ARMING] = true, [PARTITION_DOWN] = true},
    [PARTITION_SENT] = {[PARTITION_ARMING] = true, [PARTITION_DOWN] = true},
};

#define NILS_IN_A_ROW_MAX 3 /* then someone keeps touching our ledger: slow down */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

struct partition {
    struct partition_config config;
    enum partition_state state;
    struct chain chain;
    uint64_t resume_ms;                 /* no arm from UNARMED and no batch before */
    uint32_t refusals;                  /* in a row, for the back-off */
    uint32_t nils;                      /* in a row */
    enum redis_error_class refusal;     /* why the batch under way is refused */
    enum redis_error_class arm_refusal; /* why the arm is */
    bool multi_open;
    bool arm_anew; /* the ledger key changed while it was being watched */
    bool halting;
    struct buf out;
};

static struct slice slice_of(const char *text) { return (struct slice){text, strlen(text)}; }

static void partition_move(struct partition *p, enum partition_state to)
{
    assert(may_move[p->state][to]);
    p->state = to;
}

static void partition_pause(struct partition *p)
{
    const struct env *env = p->chain.config.accounts->env;
    uint64_t delay = PAUSE_MIN_MS;

    for (uint32_t i = 0; i < p->refusals && delay < PAUSE_MAX_MS; i++)
        delay *= 2;
    if (delay > PAUSE_MAX_MS)
        delay = PAUSE_MAX_MS;
    p->refusals++;
    p->resume_ms = accounts_now_ms(p->chain.config.accounts) + delay / 2 + env_random(env) % (delay / 2 + 1);
}

/* ---- replies ---- */

static enum redis_error_class partition_on_error(struct partition *p, struct slice text, enum redis_error_class *where)
{
    enum redis_error_class c = redis_error_classify(text);

    accounts_count_error(p->chain.config.accounts, c);
    if (*where == REDIS_ERROR_NONE || *where == REDIS_ERROR_EXECABORT)
        *where = c;
    return c;
}

static void partition_all_is_well(struct partition *p)
{
    p->refusals = 0;
    p->nils = 0;
    link_proved(p->config.link);
}

static void partition_on_queued(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    struct batch *b = p->chain.batch;

    if (reply_is_status(reply, SLICE("QUEUED")))
        return;
    if (reply->type != REPLY_ERROR) {
        link_fail(p->config.link, -EPROTO, "a command of a transaction was not queued");
    } else if (index < b->items_count && redis_error_classify(reply->text) == REDIS_ERROR_NOPERM_KEY) {
        accounts_count_error(p->chain.config.accounts, REDIS_ERROR_NOPERM_KEY);
        b->items[index].refused = true;
        b->refused++;
    } else {
        partition_on_error(p, reply->text, &p->refusal);
    }
}

static void partition_on_exec(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    (void)index;

    p->multi_open = false;
    if (reply->type == REPLY_ARRAY && accounts_fits(p->chain.batch, reply)) {
        if (chain_answered(&p->chain, reply))
            partition_all_is_well(p);
        else
            p->refusal = REDIS_ERROR_NOPERM;
    } else if (reply->type == REPLY_NIL) {
        p->chain.batch->copies--; /* this copy is refused for good */
        p->nils++;
    } else if (reply->type == REPLY_ERROR) {
        /* An error of a class we do not know might come from a proxy that knows no more than we do. */
        if (partition_on_error(p, reply->text, &p->refusal) != REDIS_ERROR_OTHER)
            p->chain.batch->copies--;
    } else {
        link_fail(p->config.link, -EPROTO, "EXEC was not answered with the results of the transaction");
        return;
    }
    partition_move(p, PARTITION_ARMING);
}

static void partition_on_discard(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    (void)reply, (void)index;

    p->multi_open = false;
}

static void partition_on_read(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    (void)index;

    if (reply->type == REPLY_ERROR)
        accounts_count_error(p->chain.config.accounts, redis_error_classify(reply->text));
    read_queue_take(p->config.reads, reply, accounts_now_ms(p->chain.config.accounts));
}

static void partition_on_watch(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    (void)index;

    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, &p->arm_refusal);
    else if (!reply_is_status(reply, SLICE("OK")))
        link_fail(p->config.link, -EPROTO, "WATCH was not answered with OK");
}

static void partition_on_news(struct partition *p, enum chain_news news)
{
    p->arm_anew = news == CHAIN_RENAMED;
    p->halting = news == CHAIN_HALTED;
    if (news == CHAIN_RESOLVED)
        partition_all_is_well(p);
}

static void partition_on_ledger(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    struct ledger server;
    (void)index;

    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, &p->arm_refusal);
    /* Without a WATCH in front of it an answer proves nothing; nor does it from a server that is being left, as a
     * replica's ledger may be older than the truth. */
    if (p->arm_refusal || refusal_action(p->refusal) == REFUSAL_RECONNECT)
        return;
    if (reply->type == REPLY_NIL)
        partition_on_news(p, chain_reconcile(&p->chain, NULL));
    else if (reply->type == REPLY_STRING && ledger_parse(reply->text, &server))
        partition_on_news(p, chain_reconcile(&p->chain, &server));
    else if (reply->type == REPLY_STRING)
        partition_on_news(p, chain_reconcile_nonsense(&p->chain));
    else
        link_fail(p->config.link, -EPROTO, "GET of the ledger was not answered with a string");
}

/* The answer to a whole cycle is in: what next? */
static void partition_act(struct partition *p)
{
    enum redis_error_class why = p->arm_refusal ? p->arm_refusal : p->refusal;

    if (why && refusal_action(why) == REFUSAL_RECONNECT) {
        link_fail(p->config.link, -EACCES, "the server refuses: %s", redis_error_name(why));
        return;
    }
    bool key_only = why == REDIS_ERROR_EXECABORT && p->chain.batch && p->chain.batch->refused;
    if (why && !key_only)
        partition_pause(p);
    if (p->halting) {
        partition_move(p, PARTITION_HALTED);
    } else if (p->arm_refusal || p->arm_anew) {
        partition_move(p, PARTITION_UNARMED);
    } else {
        partition_move(p, PARTITION_ARMED);
        bool replace = p->chain.batch && p->chain.batch->refused;
        if ((replace && chain_replace(&p->chain) < 0) || p->nils >= NILS_IN_A_ROW_MAX)
            partition_pause(p);
    }
}

static void partition_on_multi(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    (void)index;

    p->multi_open = reply_is_status(reply, SLICE("OK"));
    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, &p->arm_refusal);
    else if (!p->multi_open)
        link_fail(p->config.link, -EPROTO, "MULTI was not answered with OK");
    partition_act(p);
}

/* ---- requests ---- */

static void partition_send(struct partition *p, size_t count, const struct slice args[], link_reply_fn fn)
{
    resp_command(&p->out, count, args);
    link_expect(p->config.link, 1, fn, p);
}

static void partition_append_reads(struct partition *p)
{
    uint32_t commands = read_queue_send(p->config.reads, p->chain.config.prefix, &p->out);

    link_expect(p->config.link, commands, partition_on_read, p);
}

/* What ends every write: reads, when they may be asked, and the arm for the next batch. */
static void partition_finish_write(struct partition *p, bool with_reads)
{
    const struct slice key = slice_of(p->chain.ledger_key);

    if (with_reads)
        partition_append_reads(p);
    p->arm_refusal = REDIS_ERROR_NONE;
    p->arm_anew = false;
    partition_send(p, 2, (struct slice[]){SLICE("WATCH"), key}, partition_on_watch);
    partition_send(p, 2, (struct slice[]){SLICE("GET"), key}, partition_on_ledger);
    partition_send(p, 1, (struct slice[]){SLICE("MULTI")}, partition_on_multi);
    if (p->out.failed)
        link_fail(p->config.link, -ENOMEM, "no memory for commands");
    else
        link_send(p->config.link, buf_slice(&p->out));
}

static void partition_arm(struct partition *p)
{
    bool sure = chain_is_sure(&p->chain);

    buf_clear(&p->out);
    p->refusal = REDIS_ERROR_NONE;
    if (p->multi_open)
        partition_send(p, 1, (struct slice[]){SLICE("DISCARD")}, partition_on_discard);
    partition_move(p, PARTITION_ARMING);
    partition_finish_write(p, sure);
}

static void batch_forget_refusals(struct batch *b)
{
    for (uint32_t i = 0; b->refused && i < b->items_count; i++)
        b->items[i].refused = false;
    b->refused = 0;
}

static void partition_send_batch(struct partition *p)
{
    struct batch *b = p->chain.batch;
    struct flusher_stats *stats = p->chain.config.accounts->stats;
    /* Behind the EXEC, in order, the batch is resolved; unless another copy of it is still out there. */
    bool sure = chain_is_sure(&p->chain);

    stat_add(&stats->batches_retried, b->sends++ ? 1 : 0);
    batch_forget_refusals(b);
    b->copies++;
    p->refusal = REDIS_ERROR_NONE;
    buf_clear(&p->out);
    link_send(p->config.link, buf_slice(&b->bytes));
    link_expect(p->config.link, b->items_count + 1, partition_on_queued, p);
    link_expect(p->config.link, 1, partition_on_exec, p);
    partition_move(p, PARTITION_SENT);
    partition_finish_write(p, sure);
}

static void partition_tick_armed(struct partition *p, uint64_t now_ms)
{
    bool may_send = now_ms >= p->resume_ms;

    if (may_send && !p->chain.batch && chain_make_batch(&p->chain, now_ms) < 0)
        partition_pause(p);
    if (may_send && p->chain.batch)
        partition_send_batch(p);
    else if (read_queue_waits(p->config.reads) && chain_is_sure(&p->chain))
        partition_arm(p);
}

void partition_tick(struct partition *p, uint64_t now_ms)
{
    switch (p->state) {
    case PARTITION_UNARMED:
        if (now_ms >= p->resume_ms)
            partition_arm(p);
        return;
    case PARTITION_ARMED: partition_tick_armed(p, now_ms); return;
    case PARTITION_DOWN:
    case PARTITION_ARMING:
    case PARTITION_SENT:
    case PARTITION_HALTED:
    case PARTITION_STATES: return;
    }
}

void partition_link_ready(struct partition *p)
{
    if (p->state != PARTITION_HALTED)
        partition_move(p, PARTITION_UNARMED);
}

void partition_link_down(struct partition *p)
{
    read_queue_link_down(p->config.reads);
    p->multi_open = false;
    if (p->state != PARTITION_HALTED && p->state != PARTITION_DOWN)
        partition_move(p, PARTITION_DOWN);
}

uint64_t partition_wake_ms(const struct partition *p)
{
    bool waits = p->state == PARTITION_UNARMED ||
                 (p->state == PARTITION_ARMED && (p->chain.batch || keys_dirty(p->chain.config.accounts->keys)));

    return waits ? p->resume_ms : UINT64_MAX;
}

bool partition_busy(const struct partition *p) { return p->chain.batch || p->chain.replaced; }
const char *partition_instance(const struct partition *p) { return p->chain.instance; }
const char *partition_state_name(const struct partition *p) { return state_names[p->state]; }

/* ---- life ---- */

int partition_create(struct partition **out, const struct partition_config *config)
{
    struct partition *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->config = *config;
    if (chain_init(&p->chain, &config->chain) < 0) {
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
    buf_fini(&p->out);
    batch_fini(&p->chain.batches[1]);
    batch_fini(&p->chain.batches[0]);
    free(p);
}
