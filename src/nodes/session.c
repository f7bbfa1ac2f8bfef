#include "nodes/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/probes.h"
#include "nodes/key_value.h"
#include "nodes/outcomes.h"
#include "nodes/refusals.h"
#include "nodes/session_inside.h"
#include "protocol/command.h"

static const bool may_move[SESSION_STATES][SESSION_STATES] = {
    [SESSION_DOWN] = {[SESSION_UNARMED] = true},
    [SESSION_UNARMED] = {[SESSION_ARMING] = true, [SESSION_READING] = true, [SESSION_DOWN] = true},
    [SESSION_READING] = {[SESSION_UNARMED] = true, [SESSION_DOWN] = true},
    [SESSION_ARMING] = {[SESSION_ARMED] = true, [SESSION_UNARMED] = true, [SESSION_DOWN] = true},
    [SESSION_ARMED] = {[SESSION_SENT] = true,
                       [SESSION_ARMING] = true,
                       [SESSION_READING] = true,
                       [SESSION_UNARMED] = true,
                       [SESSION_DOWN] = true},
    [SESSION_SENT] =
        {[SESSION_ARMING] = true, [SESSION_READING] = true, [SESSION_UNARMED] = true, [SESSION_DOWN] = true},
};

/* What must hold in each state. */
static bool session_holds(const struct session *s)
{
    switch (s->state) {
    case SESSION_DOWN: return !s->turn && !s->sent && !s->multi_open;
    case SESSION_UNARMED: return !s->sent && !s->reads_due;
    case SESSION_READING: return !s->sent;
    case SESSION_ARMING: return true; /* the batch that was answered may not be settled yet */
    case SESSION_ARMED: return !s->sent && partition_is_armed(s->turn) && s->multi_open;
    case SESSION_SENT: return s->sent && s->sent == s->turn;
    case SESSION_STATES: break;
    }
    return false;
}

void session_move(struct session *s, enum session_state to)
{
    assert(may_move[s->state][to]);
    s->state = to;
    assert(session_holds(s));
}

/* ---- members ---- */

uint32_t session_find(const struct session *s, const struct partition *p)
{
    uint32_t at = 0;

    while (at < s->members_count && s->members[at].partition != p)
        at++;
    return at;
}

void session_join(struct session *s, struct partition *p)
{
    assert(s->members_count < s->config.members_max);
    s->members[s->members_count++] = (struct member){.session = s, .partition = p};
}

bool session_try_leave(struct session *s, struct partition *p)
{
    uint32_t at = session_find(s, p);

    assert(at < s->members_count);
    if (s->state == SESSION_ARMING || s->state == SESSION_SENT || s->state == SESSION_READING)
        return false;
    if (s->turn == p) {
        s->turn = NULL;
        if (s->state == SESSION_ARMED)
            session_move(s, SESSION_UNARMED);
    }
    partition_leave(p);
    s->members[at] = s->members[--s->members_count];
    return true;
}

uint32_t session_members(const struct session *s) { return s->members_count; }

/* The next with work, in turn; the one whose turn it is comes last. NULL: none has any. */
static struct partition *session_next(const struct session *s, uint64_t now_ms)
{
    uint32_t turn = s->turn ? session_find(s, s->turn) : s->members_count;

    for (uint32_t i = 1; i <= s->members_count; i++) {
        struct partition *p = s->members[(turn + i) % s->members_count].partition;
        if (partition_has_work(p, now_ms))
            return p;
    }
    return NULL;
}

/* ---- replies ---- */

/* true: the connection ends. */
static bool session_settle(struct session *s, struct partition *p)
{
    enum redis_error_class why = partition_refusal(p);
    enum refusal_action action = partition_settle(p);

    if (why && action != REFUSAL_NONE)
        refusals_complain(s->config.accounts->refusals, partition_refused(p), why, s->config.link);
    if (action == REFUSAL_RECONNECT)
        link_fail(s->config.link, -EKEYREJECTED, "the server refuses: %s", redis_error_name(why));
    else if (action == REFUSAL_REMAP)
        s->config.remap(s->config.remap_ctx);
    return action == REFUSAL_RECONNECT;
}

/* The batch is answered, and no arm follows it. */
static void session_rest(struct session *s)
{
    struct partition *sent = s->sent;

    s->sent = NULL;
    if (!session_settle(s, sent))
        session_move(s, s->reads_due ? SESSION_READING : SESSION_UNARMED);
}

/* The answers to everything that was sent are in: what next? */
static void session_act(struct session *s)
{
    struct partition *sent = s->sent;

    s->sent = NULL;
    if ((sent && session_settle(s, sent)) || (s->turn != sent && session_settle(s, s->turn)))
        return;
    session_move(s, partition_is_armed(s->turn) ? SESSION_ARMED : SESSION_UNARMED);
}

static void session_on_discard(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;
    (void)index;

    s->multi_open = false;
    /* What follows would be queued. */
    if (refusals_of(s->config.accounts->refusals, &s->refused_discard, "discard", reply, s->config.link))
        link_fail(s->config.link, -EPROTO, "the server refuses DISCARD");
}

/* A server that is being left proves nothing: a replica's ledger may be older than the truth. */
static bool session_is_leaving(const struct session *s)
{
    return s->sent && refusal_action(partition_refusal(s->sent)) == REFUSAL_RECONNECT;
}

static void session_take(struct session *s, enum partition_step what, uint32_t index, const struct outcome *o)
{
    bool of_batch = what == STEP_QUEUED || what == STEP_EXEC;
    struct partition *p = of_batch ? s->sent : s->turn;

    if (o->kind == OUTCOME_STRANGE) {
        link_fail(s->config.link, -EPROTO, "%s was not answered as it should be", outcome_step_name(what));
        return;
    }
    if (what == STEP_LEDGER && session_is_leaving(s))
        return;
    enum partition_news news = partition_take(p, what, index, o);
    if (news != PARTITION_GOES_ON)
        refusals_end(s->config.accounts->refusals, partition_refused(p));
    if (news == PARTITION_PROVED) {
        refusals_end(s->config.accounts->refusals, &s->refused_discard); /* what it kept from being stored is stored */
        link_proved(s->config.link);
    }
}

/* The reply to one step of an arm or a batch. */
static void session_on_step(void *ctx, const struct reply *reply, uint32_t index)
{
    const struct session_step *step = ctx;
    struct session *s = step->session;
    const struct outcome o = outcome_of(step->what, reply, s->batch);

    if (step->what == STEP_QUEUED && o.kind == OUTCOME_DONE) /* most replies; nothing to learn */
        return;
    if (step->what == STEP_EXEC || step->what == STEP_MULTI)
        s->multi_open = step->what == STEP_MULTI && o.kind == OUTCOME_DONE;
    if (step->what == STEP_EXEC)
        PROBE(exec, partition_number(s->sent), reply->type);
    session_take(s, step->what, index, &o);
    if (step->what == STEP_EXEC && s->arm_follows)
        session_move(s, SESSION_ARMING);
    else if (step->what == STEP_EXEC)
        session_rest(s);
    if (step->what == STEP_MULTI)
        session_act(s);
}

/* ---- requests ---- */

static void session_expect(struct session *s, uint32_t count, enum partition_step what)
{
    link_expect(s->config.link, count, session_on_step, &s->steps[what]);
}

static void session_say(struct session *s, enum partition_step what, size_t count, const struct slice args[])
{
    command_append(&s->out, count, args);
    session_expect(s, 1, what);
}

static void session_append_looks(struct session *s, const struct partition *p)
{
    uint32_t looks = partition_looks(p);
    struct buf scratch = {0};

    for (uint32_t i = 0; i < looks; i++)
        key_value_append(&s->out, &scratch, partition_prefix(p), partition_look_name(p, i));
    buf_fini(&scratch);
    session_expect(s, looks, STEP_LOOK);
}

static void session_append_arm(struct session *s, struct partition *next)
{
    const struct slice key = partition_ledger_key(next);

    if (s->turn && s->turn != next)
        partition_disarm(s->turn);
    s->turn = next;
    partition_begin_arm(next, link_lineage(s->config.link));
    session_append_looks(s, next);
    session_say(s, STEP_WATCH, 2, (struct slice[]){SLICE("WATCH"), key});
    session_say(s, STEP_LEDGER, 2, (struct slice[]){SLICE("GET"), key});
    session_say(s, STEP_MULTI, 1, (struct slice[]){SLICE("MULTI")});
}

/* What ends every write: reads, and the arm for the next batch if there is anything to send. */
static void session_finish_write(struct session *s, struct partition *next, const struct partition *sure)
{
    session_append_reads(s, sure);
    if (next)
        session_append_arm(s, next);
    link_send_commands(s->config.link, &s->out);
}

static void session_begin_write(struct session *s)
{
    buf_clear(&s->out);
    if (!s->multi_open)
        return;
    command_append(&s->out, 1, (struct slice[]){SLICE("DISCARD")});
    link_expect(s->config.link, 1, session_on_discard, s);
}

/* Reads, and looks at ledgers, while there is nothing to send. */
static void session_read(struct session *s, uint64_t now_ms)
{
    session_begin_write(s);
    if (s->turn)
        partition_disarm(s->turn);
    session_append_ledger_looks(s, now_ms);
    session_append_reads(s, NULL);
    session_append_farewell(s);
    session_move(s, SESSION_READING);
    link_send_commands(s->config.link, &s->out);
}

static void session_send_batch(struct session *s, struct batch *b, bool sure, uint64_t now_ms)
{
    struct partition *next = session_next(s, now_ms); /* armed behind the batch */

    if (next == s->turn && !partition_has_more(next))
        next = NULL; /* Nothing is due, so the next flush arms */
    s->sent = s->turn;
    s->batch = b;
    s->arm_follows = next;
    buf_clear(&s->out);
    link_send(s->config.link, buf_slice(&b->bytes));
    session_expect(s, batch_commands(b) + 1, STEP_QUEUED);
    session_expect(s, 1, STEP_EXEC);
    session_move(s, SESSION_SENT);
    session_finish_write(s, next, sure ? s->sent : NULL);
}

static void session_tick_unarmed(struct session *s, uint64_t now_ms)
{
    struct partition *next = session_next(s, now_ms);

    if (s->parted) /* what it would find missing it has deleted itself */
        return;
    if (next) {
        session_begin_write(s);
        session_move(s, SESSION_ARMING);
        session_finish_write(s, next, NULL);
        return;
    }
    if (session_may_look(s, now_ms) || session_may_read(s) || session_has_farewell(s))
        session_read(s, now_ms);
}

static void session_tick_armed(struct session *s, uint64_t now_ms)
{
    bool sure = partition_is_sure(s->turn);
    struct batch *b = partition_begin_send(s->turn, now_ms);

    if (b) {
        session_send_batch(s, b, sure, now_ms);
        return;
    }
    session_tick_unarmed(s, now_ms);
}

void session_tick(struct session *s, uint64_t now_ms)
{
    switch (s->state) {
    case SESSION_UNARMED: session_tick_unarmed(s, now_ms); return;
    case SESSION_ARMED: session_tick_armed(s, now_ms); return;
    case SESSION_DOWN:
    case SESSION_READING:
    case SESSION_ARMING:
    case SESSION_SENT:
    case SESSION_STATES: return;
    }
}

void session_prepare(struct session *s)
{
    if (s->state == SESSION_SENT)
        partition_prepare(s->turn);
}

void session_link_ready(struct session *s) { session_move(s, SESSION_UNARMED); }

void session_link_down(struct session *s)
{
    if (s->sent && link_reason_code(s->config.link) == -ETIMEDOUT)
        partition_did_not_pass(s->sent);
    /* Whoever reads is told at once, not at a deadline: a page must not wait for an outage to end. */
    for (uint32_t i = 0; i < s->members_count; i++) {
        partition_unlink(s->members[i].partition);
        read_queue_fail(s->config.reads, partition_number(s->members[i].partition));
    }
    s->turn = NULL;
    s->sent = NULL;
    s->multi_open = false;
    s->reads_due = 0;
    if (s->state != SESSION_DOWN)
        session_move(s, SESSION_DOWN);
}

uint64_t session_wake_ms(const struct session *s)
{
    uint64_t wake = UINT64_MAX;

    if (s->parted || (s->state != SESSION_UNARMED && s->state != SESSION_ARMED))
        return UINT64_MAX;
    if (session_has_farewell(s))
        return 0;
    for (uint32_t i = 0; i < s->members_count; i++) {
        uint64_t member_wake = partition_wake_ms(s->members[i].partition);
        wake = member_wake < wake ? member_wake : wake;
    }
    return wake;
}

/* ---- life ---- */

int session_create(struct session **out, const struct session_config *config)
{
    struct session *s = calloc(1, sizeof(*s) + config->members_max * sizeof(s->members[0]));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    for (enum partition_step what = 0; what < STEPS; what++)
        s->steps[what] = (struct session_step){s, what};
    *out = s;
    return 0;
}

void session_destroy(struct session *s)
{
    if (!s)
        return;
    refusals_end(s->config.accounts->refusals, &s->refused_read);
    refusals_end(s->config.accounts->refusals, &s->refused_discard);
    buf_fini(&s->out);
    free(s);
}
