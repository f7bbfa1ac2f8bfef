#include "flush/partition.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "flush/refusal.h"
#include "flush/window.h"
#include "sync/atomic.h"

/*             link ready            timer           WATCH, GET L, MULTI answered
 *     DOWN ─────────────► UNARMED ─────────► ARMING ────────────────────────────► ARMED
 *      ▲                     ▲                │ │ ▲ ▲     DISCARD · reads · arm     │ │
 *      │                     └────────────────┘ │ │ └──────────────────────────────┘ │
 *      │ link down             refused, or      │ │ EXEC answered            a batch │
 *      │ (from any)            a new identity   │ └──────────────── SENT ◄───────────┘
 *      │                                        ▼
 *      └─────────────────────────────────── (all but HALTED)      HALTED: on-ledger-loss=halt
 *
 * While the server refuses batches (OOM, READONLY, …) the partition stays ARMED until `resume_ms`. */
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

#define LEDGER_KEY_BYTES_MAX 256
#define LEDGER_REFRESH_MS (24 * 3600 * 1000ULL) /* a quiet partition's ledger must not expire */
#define NILS_IN_A_ROW_MAX 3                     /* then someone keeps touching our ledger: slow down */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

struct partition {
    struct partition_config config;
    enum partition_state state;
    char instance[UUID_TEXT_BYTES];
    char ledger_key[LEDGER_KEY_BYTES_MAX];
    struct ledger acked;    /* what the server's ledger must be */
    struct batch *batch;    /* unresolved; NULL: none */
    struct batch *replaced; /* what `batch`, an empty one, is to make impossible; NULL: none */
    struct batch batches[2];
    struct window window;
    uint64_t resume_ms;                 /* no arm from UNARMED and no batch before */
    uint64_t stored_ms;                 /* when the ledger was last written */
    uint32_t refusals;                  /* in a row, for the back-off */
    uint32_t nils;                      /* in a row */
    enum redis_error_class refusal;     /* why the batch under way is refused */
    enum redis_error_class arm_refusal; /* why the arm is */
    bool multi_open;
    bool arm_anew; /* the ledger key changed while it was being watched */
    bool halting;
    struct buf out;
};

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void partition_move(struct partition *p, enum partition_state to)
{
    assert(may_move[p->state][to]);
    p->state = to;
}

static void partition_take_identity(struct partition *p, const char *instance)
{
    snprintf(p->instance, sizeof(p->instance), "%s", instance);
    int n = snprintf(p->ledger_key, sizeof(p->ledger_key), "%.*s!ledger:%s:%u", (int)p->config.prefix.bytes,
                     p->config.prefix.at, p->instance, p->config.number);
    assert(n > 0 && (size_t)n < sizeof(p->ledger_key));
    p->acked = (struct ledger){0};
    window_clear(&p->window);
}

static void partition_pause(struct partition *p)
{
    const struct env *env = p->config.accounts->env;
    uint64_t delay = PAUSE_MIN_MS;

    for (uint32_t i = 0; i < p->refusals && delay < PAUSE_MAX_MS; i++)
        delay *= 2;
    if (delay > PAUSE_MAX_MS)
        delay = PAUSE_MAX_MS;
    p->refusals++;
    p->resume_ms = accounts_now_ms(p->config.accounts) + delay / 2 + env_random(env) % (delay / 2 + 1);
}

/* ---- how a batch ends ---- */

static struct batch *partition_free_batch(struct partition *p)
{
    return p->replaced == &p->batches[0] ? &p->batches[1] : &p->batches[0];
}

static void partition_give_back(struct partition *p, struct batch **batch)
{
    if (!*batch)
        return;
    accounts_give_back(p->config.accounts, *batch);
    *batch = NULL;
}

static void partition_resolved(struct partition *p, const struct batch *applied, uint64_t hits)
{
    struct flusher_stats *stats = p->config.accounts->stats;

    p->acked = applied->ledger;
    window_push(&p->window, &p->acked, hits);
    p->stored_ms = accounts_now_ms(p->config.accounts);
    p->refusals = 0;
    p->nils = 0;
    stat_add(&stats->batches, 1);
    store_relaxed_u64(&stats->last_flush_ms, p->stored_ms);
}

static void partition_answered(struct partition *p, const struct reply *exec)
{
    const struct batch *b = p->batch;
    uint64_t stored = accounts_answered(p->config.accounts, b, exec);
    bool ledger_written = reply_is_status(&exec->items[b->items_count], SLICE("OK"));

    /* Only an ACL changed between queueing and EXEC can refuse the SET alone. The items are applied and known to be:
     * the ledger stays where it was. */
    if (ledger_written)
        partition_resolved(p, b, stored);
    else
        p->refusal = REDIS_ERROR_NOPERM;
    p->batch = NULL;
    if (ledger_written)
        partition_give_back(p, &p->replaced);
}

static void partition_reconcile_applied(struct partition *p, struct batch *applied)
{
    accounts_applied_unseen(p->config.accounts, applied);
    partition_resolved(p, applied, applied->hits);
    if (applied == p->replaced)
        p->replaced = NULL; /* and its empty replacement is void */
    else
        partition_give_back(p, &p->replaced);
    if (p->batch != applied)
        partition_give_back(p, &p->batch);
    p->batch = NULL;
}

static void partition_alarm(struct partition *p, uint64_t *kind, const char *event, int64_t hits)
{
    struct accounts *a = p->config.accounts;

    stat_add(kind, 1);
    stat_add(&a->stats->alarms, 1);
    ENV_LOG(a->env, LOG_LEVEL_ERROR, event, log_str("ledger", p->ledger_key), log_num("acked", (int64_t)p->acked.seq),
            log_num("hits", hits));
}

/* ---- when the ledger is not what it should be ---- */

/* What came over the fence is gone with the server that had it, and what did not cannot come any more: its WATCH
 * saw another ledger. So the batch under way was not applied and never will be. */
static void partition_start_over(struct partition *p, const struct ledger *acked)
{
    partition_give_back(p, &p->batch);
    partition_give_back(p, &p->replaced);
    p->acked = *acked;
}

static void partition_on_foreign(struct partition *p)
{
    char instance[UUID_TEXT_BYTES];

    partition_alarm(p, &p->config.accounts->stats->alarms_identity_taken, "identity_taken", 0);
    partition_start_over(p, &(struct ledger){0});
    env_uuid(p->config.accounts->env, instance);
    partition_take_identity(p, instance);
    p->arm_anew = true;
}

static void partition_on_behind(struct partition *p, const struct ledger *server)
{
    if (window_knows(&p->window, server) == WINDOW_NOT_OURS) {
        partition_on_foreign(p);
        return;
    }
    uint64_t hits = window_cut(&p->window, server->seq);
    partition_alarm(p, &p->config.accounts->stats->alarms_rollback, "redis_rolled_back", (int64_t)hits);
    accounts_lost(p->config.accounts, hits);
    partition_start_over(p, server);
}

static void partition_on_missing(struct partition *p)
{
    partition_alarm(p, &p->config.accounts->stats->alarms_ledger_missing, "ledger_missing", 0);
    if (p->config.on_ledger_loss == LEDGER_LOSS_HALT) {
        p->halting = true;
        return;
    }
    partition_start_over(p, &(struct ledger){0});
    window_clear(&p->window);
}

static void partition_reconcile(struct partition *p, const struct ledger *server)
{
    const struct ledger *batch = p->batch ? &p->batch->ledger : NULL;
    const struct ledger *replaced = p->replaced ? &p->replaced->ledger : NULL;

    switch (ledger_judge(&p->acked, batch, replaced, server)) {
    case LEDGER_AS_ACKED: return;
    case LEDGER_BATCH_APPLIED: partition_reconcile_applied(p, p->batch); return;
    case LEDGER_REPLACED_APPLIED: partition_reconcile_applied(p, p->replaced); return;
    case LEDGER_MISSING: partition_on_missing(p); return;
    case LEDGER_BEHIND: partition_on_behind(p, server); return;
    case LEDGER_FOREIGN: partition_on_foreign(p); return;
    }
}

/* ---- making batches ---- */

static bool partition_compose(struct partition *p, struct batch *b)
{
    p->batch = b;
    if (batch_compose(b, p->config.accounts->keys, p->config.prefix, slice_of(p->ledger_key)) == 0)
        return true;
    partition_give_back(p, &p->batch); /* never sent, so nothing is in doubt */
    partition_pause(p);
    return false;
}

static void partition_begin(struct partition *p, struct batch *b)
{
    batch_begin(b, &(struct ledger){p->acked.seq + 1, env_random(p->config.accounts->env)});
}

/* A batch of what is dirty, or an empty one when the ledger gets old. */
static void partition_make_batch(struct partition *p, uint64_t now_ms)
{
    struct batch *b = partition_free_batch(p);
    bool refresh = p->acked.seq && now_ms - p->stored_ms >= LEDGER_REFRESH_MS;

    if (keys_dirty(p->config.accounts->keys) == 0 && !refresh)
        return;
    partition_begin(p, b);
    accounts_take(p->config.accounts, b);
    if (b->items_count || refresh)
        partition_compose(p, b);
}

/* Other copies of the refused bytes may still be on their way; once an empty batch took their seq, they are void. */
static void partition_replace(struct partition *p)
{
    struct batch *refused = p->batch;

    p->replaced = refused;
    p->batch = NULL;
    struct batch *empty = partition_free_batch(p);
    partition_begin(p, empty);
    if (!partition_compose(p, empty)) {
        p->replaced = NULL;
        p->batch = refused;
    }
}

/* ---- replies ---- */

static void partition_on_error(struct partition *p, struct slice text, enum redis_error_class *where)
{
    enum redis_error_class c = redis_error_classify(text);

    accounts_count_error(p->config.accounts, c);
    if (*where == REDIS_ERROR_NONE || *where == REDIS_ERROR_EXECABORT)
        *where = c;
}

static void partition_on_queued(void *ctx, const struct reply *reply, uint32_t index)
{
    struct partition *p = ctx;
    struct batch *b = p->batch;

    if (reply_is_status(reply, SLICE("QUEUED")))
        return;
    if (reply->type != REPLY_ERROR) {
        link_fail(p->config.link, -EPROTO, "a command of a transaction was not queued");
    } else if (index < b->items_count && redis_error_classify(reply->text) == REDIS_ERROR_NOPERM_KEY) {
        accounts_count_error(p->config.accounts, REDIS_ERROR_NOPERM_KEY);
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
    if (reply->type == REPLY_ARRAY && accounts_fits(p->batch, reply)) {
        partition_answered(p, reply);
    } else if (reply->type == REPLY_NIL) {
        p->batch->copies--; /* this copy is refused for good */
        p->nils++;
    } else if (reply->type == REPLY_ERROR) {
        partition_on_error(p, reply->text, &p->refusal);
        /* An error of a class we do not know might come from a proxy that knows no more than we do. */
        if (p->refusal != REDIS_ERROR_OTHER)
            p->batch->copies--;
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
        accounts_count_error(p->config.accounts, redis_error_classify(reply->text));
    read_queue_take(p->config.reads, reply, accounts_now_ms(p->config.accounts));
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
        partition_reconcile(p, NULL);
    else if (reply->type == REPLY_STRING && ledger_parse(reply->text, &server))
        partition_reconcile(p, &server);
    else if (reply->type == REPLY_STRING)
        partition_on_foreign(p);
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
    bool key_only = why == REDIS_ERROR_EXECABORT && p->batch && p->batch->refused;
    if (why && !key_only)
        partition_pause(p);
    if (p->halting) {
        partition_move(p, PARTITION_HALTED);
    } else if (p->arm_refusal || p->arm_anew) {
        partition_move(p, PARTITION_UNARMED);
    } else {
        partition_move(p, PARTITION_ARMED);
        if (p->batch && p->batch->refused)
            partition_replace(p);
        else if (p->nils >= NILS_IN_A_ROW_MAX)
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

/* The fate of every copy of the batch is known, so what the server holds now fits the baselines. */
static bool partition_is_sure(const struct partition *p)
{
    return (!p->batch || p->batch->copies == 0) && (!p->replaced || p->replaced->copies == 0);
}

static void partition_append_reads(struct partition *p)
{
    uint32_t commands = read_queue_send(p->config.reads, p->config.prefix, &p->out);

    link_expect(p->config.link, commands, partition_on_read, p);
}

/* What ends every write: reads, when they may be asked, and the arm for the next batch. */
static void partition_finish_write(struct partition *p, bool with_reads)
{
    const struct slice key = slice_of(p->ledger_key);

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
    bool sure = partition_is_sure(p);

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
    struct batch *b = p->batch;
    struct flusher_stats *stats = p->config.accounts->stats;
    /* Behind the EXEC, in order, the batch is resolved; unless another copy of it is still out there. */
    bool sure = partition_is_sure(p);

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

    if (may_send && !p->batch)
        partition_make_batch(p, now_ms);
    if (may_send && p->batch && now_ms >= p->resume_ms)
        partition_send_batch(p);
    else if (read_queue_waits(p->config.reads) && partition_is_sure(p))
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
                 (p->state == PARTITION_ARMED && (p->batch || keys_dirty(p->config.accounts->keys)));

    return waits ? p->resume_ms : UINT64_MAX;
}

bool partition_busy(const struct partition *p)
{
    return p->batch || p->replaced;
}
const char *partition_instance(const struct partition *p)
{
    return p->instance;
}
const char *partition_state_name(const struct partition *p)
{
    return state_names[p->state];
}

/* ---- life ---- */

int partition_create(struct partition **out, const struct partition_config *config)
{
    struct partition *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->config = *config;
    if (batch_init(&p->batches[0], config->batch_keys_max) < 0 || batch_init(&p->batches[1], config->batch_keys_max)) {
        partition_destroy(p);
        return -ENOMEM;
    }
    partition_take_identity(p, config->instance);
    *out = p;
    return 0;
}

void partition_destroy(struct partition *p)
{
    if (!p)
        return;
    buf_fini(&p->out);
    batch_fini(&p->batches[1]);
    batch_fini(&p->batches[0]);
    free(p);
}
