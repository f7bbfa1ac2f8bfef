#include "flush/partition.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "flush/chronicle.h"
#include "sync/atomic.h"

#define LEDGER_REFRESH_MS (24 * 3600 * 1000ULL) /* a quiet partition's ledger must not expire */
#define NILS_IN_A_ROW_MAX 3                     /* then someone keeps touching our ledger: slow down */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

struct partition {
    struct partition_config config;
    struct chronicle chronicle;
    struct batch *batch;    /* unresolved; NULL: none */
    struct batch *replaced; /* what `batch`, an empty one, is to make impossible; NULL: none */
    struct batch batches[2];
    uint64_t resume_ms;                 /* no arm and no batch before */
    uint32_t refusals;                  /* in a row, for the back-off */
    uint32_t nils;                      /* in a row */
    enum redis_error_class refusal;     /* why the batch under way is refused */
    enum redis_error_class arm_refusal; /* why the arm is */
    bool met;                           /* the ledger was read and judged on this connection */
    bool armed;
    bool halted; /* on-ledger-loss=halt */
};

static struct slice slice_of(const char *text) { return (struct slice){text, strlen(text)}; }

/* Half of the delay is certain, half is chance. */
static void partition_pause_ms(struct partition *p, uint64_t delay)
{
    const struct env *env = p->config.chronicle.accounts->env;

    p->resume_ms = accounts_now_ms(p->config.chronicle.accounts) + delay / 2 + env_random(env) % (delay / 2 + 1);
}

static void partition_pause(struct partition *p)
{
    uint64_t delay = PAUSE_MIN_MS;

    for (uint32_t i = 0; i < p->refusals && delay < PAUSE_MAX_MS; i++)
        delay *= 2;
    p->refusals++;
    partition_pause_ms(p, delay < PAUSE_MAX_MS ? delay : PAUSE_MAX_MS);
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
    accounts_give_back(p->config.chronicle.accounts, *batch);
    *batch = NULL;
}

static void partition_resolved(struct partition *p, const struct batch *applied, uint64_t hits)
{
    struct flusher_stats *stats = p->config.chronicle.accounts->stats;

    chronicle_stored(&p->chronicle, applied, hits);
    p->refusals = 0;
    p->nils = 0;
    stat_add(&stats->batches, 1);
    store_relaxed_u64(&stats->last_flush_ms, p->chronicle.stored_ms);
}

static void partition_answered(struct partition *p, const struct reply *exec)
{
    struct batch *b = p->batch;
    uint64_t stored = accounts_answered(p->config.chronicle.accounts, b, exec);
    bool ledger_written = reply_is_status(&exec->items[b->items_count], SLICE("OK"));

    /* Only an ACL changed between queueing and EXEC can refuse the SET alone. The items are applied and known to be:
     * the ledger stays where it was. */
    if (ledger_written) {
        partition_resolved(p, b, stored);
    } else {
        chronicle_start_over(&p->chronicle, &p->chronicle.acked);
        p->refusal = REDIS_ERROR_NOPERM;
    }
    p->batch = NULL;
    if (ledger_written)
        partition_give_back(p, &p->replaced);
}

static void partition_reconcile_applied(struct partition *p, struct batch *applied)
{
    accounts_applied_unseen(p->config.chronicle.accounts, applied);
    partition_resolved(p, applied, applied->hits);
    if (applied == p->replaced)
        p->replaced = NULL; /* and its empty replacement is void */
    else
        partition_give_back(p, &p->replaced);
    if (p->batch != applied)
        partition_give_back(p, &p->batch);
    p->batch = NULL;
}

static void partition_alarm(struct partition *p, uint64_t *kind, const char *event, uint64_t replayed, uint64_t lost)
{
    struct accounts *a = p->config.chronicle.accounts;

    stat_add(kind, 1);
    stat_add(&a->stats->alarms, 1);
    ENV_LOG(a->env, LOG_LEVEL_ERROR, event, log_str("ledger", p->chronicle.ledger_key),
            log_num("acked", (int64_t)p->chronicle.acked.seq),
            log_num("hits_replayed", (int64_t)replayed), log_num("hits_lost", (int64_t)lost));
}

/* ---- when the ledger is not what it should be ---- */

/* What came over the fence is gone with the server that had it, and what did not cannot come any more: its WATCH
 * saw another ledger. So the batch under way was not applied and never will be. */
static void partition_start_over(struct partition *p, const struct ledger *acked)
{
    partition_give_back(p, &p->batch);
    partition_give_back(p, &p->replaced);
    chronicle_start_over(&p->chronicle, acked);
}

static void partition_on_foreign(struct partition *p)
{
    char instance[UUID_TEXT_BYTES];

    env_uuid(p->config.chronicle.accounts->env, instance);
    partition_give_back(p, &p->batch);
    partition_give_back(p, &p->replaced);
    uint64_t given_up = chronicle_rename(&p->chronicle, instance);
    accounts_gave_up(p->config.chronicle.accounts, given_up);
    partition_alarm(p, &p->config.chronicle.accounts->stats->alarms_identity_taken, "identity_taken", 0, given_up);
    p->met = false; /* the ledger that was watched is not ours any more */
}

/* The baselines go back first: a batch that is given back is dirty again, and carries what they then say. */
static void partition_roll_back(struct partition *p, uint64_t *kind, const char *event, const struct ledger *server)
{
    struct window_cut cut = chronicle_roll_back(&p->chronicle, server->seq);

    partition_alarm(p, kind, event, cut.replayed, cut.lost);
    accounts_rolled_back(p->config.chronicle.accounts, cut.replayed, cut.lost);
    partition_start_over(p, server);
}

static void partition_on_behind(struct partition *p, const struct ledger *server)
{
    if (window_knows(&p->chronicle.window, server) == WINDOW_NOT_OURS)
        partition_on_foreign(p);
    else
        partition_roll_back(p, &p->config.chronicle.accounts->stats->alarms_rollback, "redis_rolled_back", server);
}

/* Emptied on purpose, or restarted from before our first batch? Only the administrator knows. */
static void partition_on_missing(struct partition *p)
{
    static const struct ledger none;
    uint64_t *kind = &p->config.chronicle.accounts->stats->alarms_ledger_missing;

    p->halted = p->config.on_ledger_loss == LEDGER_LOSS_HALT;
    if (p->config.on_ledger_loss == LEDGER_LOSS_REPLAY) {
        partition_roll_back(p, kind, "ledger_missing", &none);
        return;
    }
    partition_alarm(p, kind, "ledger_missing", 0, 0);
    if (p->halted)
        return;
    window_clear(&p->chronicle.window);
    partition_start_over(p, &none);
}

static void partition_reconcile(struct partition *p, const struct ledger *server)
{
    const struct ledger *batch = p->batch ? &p->batch->ledger : NULL;
    const struct ledger *replaced = p->replaced ? &p->replaced->ledger : NULL;

    switch (ledger_judge(&p->chronicle.acked, batch, replaced, server)) {
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
    if (batch_compose(b, p->config.chronicle.accounts->keys, p->config.chronicle.prefix, partition_ledger_key(p)) == 0 &&
        chronicle_intend(&p->chronicle, b, p->replaced) == 0)
        return true;
    partition_give_back(p, &p->batch); /* never sent, so nothing is in doubt */
    partition_pause(p);
    return false;
}

static void partition_begin(struct partition *p, struct batch *b)
{
    batch_begin(b, &(struct ledger){p->chronicle.acked.seq + 1, env_random(p->config.chronicle.accounts->env)});
}

static bool partition_is_old(const struct partition *p, uint64_t now_ms)
{
    return p->chronicle.acked.seq && now_ms - p->chronicle.stored_ms >= LEDGER_REFRESH_MS;
}

/* A batch of what is dirty, or an empty one when the ledger gets old. */
static void partition_make_batch(struct partition *p, uint64_t now_ms)
{
    struct batch *b = partition_free_batch(p);
    bool refresh = partition_is_old(p, now_ms);

    if (keys_dirty_of(p->config.chronicle.accounts->keys, p->config.chronicle.number) == 0 && !refresh)
        return;
    partition_begin(p, b);
    accounts_take(p->config.chronicle.accounts, b, p->config.chronicle.number);
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

/* ---- arming ---- */

static void partition_on_error(struct partition *p, struct slice text, enum redis_error_class *where)
{
    enum redis_error_class c = redis_error_classify(text);

    accounts_count_error(p->config.chronicle.accounts, c);
    if (*where == REDIS_ERROR_NONE || *where == REDIS_ERROR_EXECABORT)
        *where = c;
}

void partition_begin_arm(struct partition *p)
{
    p->arm_refusal = REDIS_ERROR_NONE;
    p->met = false;
    p->armed = false;
}

int partition_on_watch(struct partition *p, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, &p->arm_refusal);
    else if (!reply_is_status(reply, SLICE("OK")))
        return -EPROTO;
    return 0;
}

int partition_on_ledger(struct partition *p, const struct reply *reply)
{
    struct ledger server;

    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, &p->arm_refusal);
    else if (reply->type != REPLY_NIL && reply->type != REPLY_STRING)
        return -EPROTO;
    /* Without a WATCH in front of it an answer proves nothing. */
    if (p->arm_refusal)
        return 0;
    p->met = true;
    if (reply->type == REPLY_NIL)
        partition_reconcile(p, NULL);
    else if (ledger_parse(reply->text, &server))
        partition_reconcile(p, &server);
    else
        partition_on_foreign(p);
    return 0;
}

int partition_on_multi(struct partition *p, const struct reply *reply)
{
    if (reply->type == REPLY_ERROR)
        partition_on_error(p, reply->text, &p->arm_refusal);
    else if (!reply_is_status(reply, SLICE("OK")))
        return -EPROTO;
    p->armed = p->met && !p->arm_refusal && !p->halted;
    return 0;
}

/* ---- sending ---- */

static void batch_forget_refusals(struct batch *b)
{
    for (uint32_t i = 0; b->refused && i < b->items_count; i++)
        b->items[i].refused = false;
    b->refused = 0;
}

const struct batch *partition_begin_send(struct partition *p, uint64_t now_ms)
{
    assert(p->armed);
    if (now_ms < p->resume_ms)
        return NULL;
    if (!p->batch)
        partition_make_batch(p, now_ms);
    else if (p->batch->refused)
        partition_replace(p);
    struct batch *b = p->batch;
    if (!b || now_ms < p->resume_ms)
        return NULL;
    stat_add(&p->config.chronicle.accounts->stats->batches_retried, b->sends++ ? 1 : 0);
    batch_forget_refusals(b);
    b->copies++;
    p->refusal = REDIS_ERROR_NONE;
    p->armed = false;
    return b;
}

int partition_on_queued(struct partition *p, const struct reply *reply, uint32_t index)
{
    struct batch *b = p->batch;

    if (reply_is_status(reply, SLICE("QUEUED")))
        return 0;
    if (reply->type != REPLY_ERROR)
        return -EPROTO;
    if (index < b->items_count && redis_error_classify(reply->text) == REDIS_ERROR_NOPERM_KEY) {
        accounts_count_error(p->config.chronicle.accounts, REDIS_ERROR_NOPERM_KEY);
        b->items[index].refused = true;
        b->refused++;
    } else {
        partition_on_error(p, reply->text, &p->refusal);
    }
    return 0;
}

int partition_on_exec(struct partition *p, const struct reply *reply)
{
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
    bool key_only = why == REDIS_ERROR_EXECABORT && p->batch && p->batch->refused;
    enum refusal_action action = key_only ? REFUSAL_NONE : refusal_action(why);

    p->arm_refusal = REDIS_ERROR_NONE;
    p->refusal = REDIS_ERROR_NONE;
    if (action == REFUSAL_RETRY)
        partition_pause_ms(p, PAUSE_MIN_MS);
    else if (action == REFUSAL_PAUSE || action == REFUSAL_REMAP || p->nils >= NILS_IN_A_ROW_MAX)
        partition_pause(p);
    return action;
}

void partition_unlink(struct partition *p)
{
    p->arm_refusal = REDIS_ERROR_NONE;
    p->refusal = REDIS_ERROR_NONE;
    p->met = false;
    p->armed = false;
}

static bool partition_wants(const struct partition *p)
{
    return !p->halted && (!p->met || p->batch || keys_dirty_of(p->config.chronicle.accounts->keys, p->config.chronicle.number));
}

bool partition_has_work(const struct partition *p, uint64_t now_ms)
{
    return now_ms >= p->resume_ms && (partition_wants(p) || (!p->halted && partition_is_old(p, now_ms)));
}

uint64_t partition_wake_ms(const struct partition *p) { return partition_wants(p) ? p->resume_ms : UINT64_MAX; }

bool partition_is_sure(const struct partition *p)
{
    return p->met && (!p->batch || p->batch->copies == 0) && (!p->replaced || p->replaced->copies == 0);
}

bool partition_is_armed(const struct partition *p) { return p->armed; }
bool partition_busy(const struct partition *p) { return p->batch || p->replaced; }
uint32_t partition_number(const struct partition *p) { return p->config.chronicle.number; }
struct slice partition_ledger_key(const struct partition *p) { return slice_of(p->chronicle.ledger_key); }

/* ---- life ---- */

static int partition_init_batches(struct partition *p)
{
    uint32_t parts_max = chronicle_parts_max(&p->chronicle);
    uint32_t items_max = p->config.batch_keys_max;

    for (int i = 0; i < 2; i++) {
        if (batch_init(&p->batches[i], items_max, parts_max) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int partition_resume(struct partition *p)
{
    bool open, replaces;
    int failed = chronicle_resume(&p->chronicle, &p->batches[0], &open, &p->batches[1], &replaces);

    p->batch = open ? &p->batches[0] : NULL;
    p->replaced = replaces ? &p->batches[1] : NULL;
    return failed;
}

int partition_create(struct partition **out, const struct partition_config *config)
{
    struct partition *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->config = *config;
    chronicle_init(&p->chronicle, &config->chronicle);
    int failed = partition_init_batches(p);
    if (!failed)
        failed = partition_resume(p);
    if (failed) {
        partition_destroy(p);
        return failed;
    }
    *out = p;
    return 0;
}

void partition_destroy(struct partition *p)
{
    if (!p)
        return;
    batch_fini(&p->batches[1]);
    batch_fini(&p->batches[0]);
    chronicle_fini(&p->chronicle);
    free(p);
}
