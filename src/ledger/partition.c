#include "ledger/partition.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "ledger/partition_inside.h"
#include "sync/atomic.h"

#define NILS_IN_A_ROW_MAX 3 /* then someone keeps touching our ledger: slow down */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define DOUBT_PAUSE_MS 500
#define LARGE_KEYS_MIN 16 /* a smaller batch is not what keeps a link from passing it */

static void partition_pause_ms(struct partition *p, uint64_t delay)
{
    const struct accounts *a = p->chain.config.history.accounts;

    p->resume_ms = accounts_now_ms(a) + backoff_part_ms(delay, env_random(a->env));
}

static void partition_pause(struct partition *p)
{
    const struct accounts *a = p->chain.config.history.accounts;

    p->resume_ms = accounts_now_ms(a) + backoff_ms(p->refusals++, PAUSE_MIN_MS, PAUSE_MAX_MS, env_random(a->env));
}

/* ---- arming ---- */

void partition_begin_arm(struct partition *p, uint64_t lineage)
{
    p->arm_refusal = REDIS_ERROR_NONE;
    if (p->phase == PARTITION_SENT || p->phase == PARTITION_ASKED)
        p->arm_follows = true;
    else
        partition_move(p, PARTITION_ARMING);
    chain_ask(&p->chain, lineage);
}

uint32_t partition_looks(const struct partition *p) { return p->chain.proved ? p->chain.proved->items_count : 0; }

struct slice partition_look_name(const struct partition *p, uint32_t index)
{
    return keys_name(p->chain.config.history.accounts->keys, p->chain.proved->items[index].key);
}

void partition_disarm(struct partition *p)
{
    if (p->phase == PARTITION_ARMED)
        partition_move(p, PARTITION_READY);
    else if (p->phase == PARTITION_ASK_ARMED)
        partition_move(p, PARTITION_ASKING);
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

static struct batch *partition_begin_probe(struct partition *p)
{
    struct batch *b = chain_probe(&p->chain);

    if (!b) {
        partition_pause(p);
        return NULL;
    }
    p->refusal = REDIS_ERROR_NONE;
    partition_move(p, PARTITION_ASKED);
    return b;
}

struct batch *partition_begin_send(struct partition *p, uint64_t now_ms)
{
    assert(partition_is_armed(p));
    if (now_ms < p->resume_ms)
        return NULL;
    if (p->phase == PARTITION_ASK_ARMED)
        return partition_begin_probe(p);
    int failed = partition_make_batch(p, now_ms);
    if (failed)
        partition_pause(p);
    struct batch *b = p->chain.batch;
    if (failed || !b)
        return NULL;
    stat_add(&p->chain.config.history.accounts->stats->batches_retried, b->sends++ ? 1 : 0);
    batch_forget_refusals(b);
    b->examined = false;
    b->copies++;
    p->refusal = REDIS_ERROR_NONE;
    partition_move(p, PARTITION_SENT);
    return b;
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
    if (p->phase == PARTITION_DOUBTING && action == REFUSAL_NONE) {
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
    p->arm_follows = false;
    if (p->phase != PARTITION_UNMET)
        partition_move(p, PARTITION_UNMET);
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
    return !partition_has_met(p) || p->chain.batch || chain_has_writes(&p->chain) || chain_has_hits(&p->chain);
}

bool partition_has_work(const struct partition *p, uint64_t now_ms)
{
    return !p->halted && now_ms >= p->resume_ms && (partition_wants(p) || chain_is_old(&p->chain, now_ms));
}

bool partition_has_more(const struct partition *p)
{
    return p->phase == PARTITION_ASKED || p->chain.replaced || chain_has_writes(&p->chain) || chain_has_hits(&p->chain);
}

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

uint64_t partition_look_ms(const struct partition *p)
{
    if (p->halted || !partition_has_met(p))
        return UINT64_MAX;
    return later(chain_look_ms(&p->chain, p->looked_ms), p->resume_ms);
}

uint64_t partition_wake_ms(const struct partition *p)
{
    return !p->halted && partition_wants(p) ? p->resume_ms : partition_look_ms(p);
}

static bool ledger_is_as_left(const struct partition *p, const struct outcome *o)
{
    const struct ledger *acked = &p->chain.history.acked;
    struct ledger server;

    if (o->kind == OUTCOME_TEXT && ledger_parse(o->text, &server))
        return ledger_equals(&server, acked);
    return o->kind == OUTCOME_NONE && acked->seq == 0;
}

bool partition_take_look(struct partition *p, const struct outcome *o)
{
    bool as_left = ledger_is_as_left(p, o);

    if (as_left)
        p->looked_ms = accounts_now_ms(p->chain.config.history.accounts);
    return as_left;
}

void partition_mistrust(struct partition *p)
{
    partition_disarm(p);
    if (p->phase == PARTITION_READY)
        partition_move(p, PARTITION_UNMET);
}

bool partition_is_sure(const struct partition *p) { return partition_has_met(p) && chain_is_sure(&p->chain); }
bool partition_is_armed(const struct partition *p)
{
    return p->phase == PARTITION_ARMED || p->phase == PARTITION_ASK_ARMED;
}

bool partition_busy(const struct partition *p) { return p->chain.batch || p->chain.replaced || p->chain.next; }
bool partition_leaves_ledger(const struct partition *p)
{
    const struct history *past = &p->chain.history;

    return !past->config.journal && past->acked.seq && partition_has_met(p) && !partition_busy(p);
}

void partition_cover(struct partition *p) { chain_cover(&p->chain); }
void partition_prepare(struct partition *p) { chain_prepare(&p->chain); }
struct refused *partition_refused(struct partition *p) { return &p->refused; }
uint32_t partition_number(const struct partition *p) { return p->chain.config.history.number; }
struct slice partition_prefix(const struct partition *p) { return p->chain.config.history.prefix; }
struct slice partition_ledger_key(const struct partition *p)
{
    return (struct slice){p->chain.history.ledger_key, strlen(p->chain.history.ledger_key)};
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
