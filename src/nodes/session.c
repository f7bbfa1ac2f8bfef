#include "nodes/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/probes.h"

/*             link ready         work          WATCH, GET, MULTI answered
 *     DOWN ─────────────► UNARMED ─────► ARMING ─────────────────────────► ARMED
 *      ▲                   ▲   ▲          │ ▲ ▲   DISCARD · reads · arm     │ │ │
 *      │                   │   └──────────┘ │ └─────────────────────────────┘ │ │
 *      │ link down         │    refused     │ EXEC answered           a batch │ │
 *      │ (from any)        │                └────────────────── SENT ◄────────┘ │
 *      └───                └──────────────────────────────────────────────────── ┘
 *                                        the armed partition leaves the node          */
enum session_state {
    SESSION_DOWN,
    SESSION_UNARMED,
    SESSION_ARMING,
    SESSION_ARMED,
    SESSION_SENT,
    SESSION_STATES,
};

static const bool may_move[SESSION_STATES][SESSION_STATES] = {
    [SESSION_DOWN] = {[SESSION_UNARMED] = true},
    [SESSION_UNARMED] = {[SESSION_ARMING] = true, [SESSION_DOWN] = true},
    [SESSION_ARMING] = {[SESSION_ARMED] = true, [SESSION_UNARMED] = true, [SESSION_DOWN] = true},
    [SESSION_ARMED] = {[SESSION_SENT] = true, [SESSION_ARMING] = true, [SESSION_UNARMED] = true, [SESSION_DOWN] = true},
    [SESSION_SENT] = {[SESSION_ARMING] = true, [SESSION_DOWN] = true},
};

#define READERS_MAX 16 /* partitions that read in one write; the others have their turn in the next */

struct member {
    struct session *session;
    struct partition *partition;
};

struct session {
    struct session_config config;
    enum session_state state;
    struct partition *turn; /* armed, being armed, or the last that was; NULL: none yet */
    struct partition *sent; /* whose batch is under way; NULL: none */
    bool multi_open;
    struct refused refused_read, refused_discard;
    struct buf out;
    uint32_t members_count;
    struct member members[]; /* a member keeps its place while replies for it are due */
};

static void session_move(struct session *s, enum session_state to)
{
    assert(may_move[s->state][to]);
    s->state = to;
}

/* ---- members ---- */

static uint32_t session_find(const struct session *s, const struct partition *p)
{
    uint32_t at = 0;

    while (at < s->members_count && s->members[at].partition != p)
        at++;
    return at;
}

void session_join(struct session *s, struct partition *p)
{
    assert(s->members_count < s->config.members_max);
    s->members[s->members_count++] = (struct member){s, p};
}

bool session_try_leave(struct session *s, struct partition *p)
{
    uint32_t at = session_find(s, p);

    assert(at < s->members_count);
    if (s->state == SESSION_ARMING || s->state == SESSION_SENT)
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

/* The next with work, in turn; the one whose turn it is comes last. NULL: none has. */
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

/* The answers to everything that was sent are in: what next? */
static void session_act(struct session *s)
{
    struct partition *sent = s->sent;

    s->sent = NULL;
    if ((sent && session_settle(s, sent)) || (s->turn != sent && session_settle(s, s->turn)))
        return;
    session_move(s, partition_is_armed(s->turn) ? SESSION_ARMED : SESSION_UNARMED);
}

static void session_check(struct session *s, int result, const char *what)
{
    if (result < 0)
        link_fail(s->config.link, result, "%s was not answered as it should be", what);
    else if (result > 0)
        link_proved(s->config.link);
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

static void session_on_queued(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;

    session_check(s, partition_on_queued(s->sent, reply, index), "a command of a transaction");
}

static void session_on_exec(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;
    (void)index;

    s->multi_open = false;
    PROBE(exec, partition_number(s->sent), reply->type);
    session_check(s, partition_on_exec(s->sent, reply), "EXEC");
    session_move(s, SESSION_ARMING);
}

static void session_on_read(void *ctx, const struct reply *reply, uint32_t index)
{
    const struct member *m = ctx;
    struct accounts *a = m->session->config.accounts;
    (void)index;

    if (reply->type == REPLY_ERROR)
        accounts_count_error(a, redis_error_classify(reply->text));
    refusals_of(a->refusals, &m->session->refused_read, "getrange", reply, m->session->config.link);
    read_queue_take(m->session->config.reads, partition_number(m->partition), reply, accounts_now_ms(a));
}

static void session_on_look(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;

    session_check(s, partition_on_look(s->turn, reply, index), "GETRANGE of a counter");
}

static void session_on_watch(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;
    (void)index;

    session_check(s, partition_on_watch(s->turn, reply), "WATCH");
}

static void session_on_ledger(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;
    (void)index;

    /* A server that is being left proves nothing: a replica's ledger may be older than the truth. */
    if (s->sent && refusal_action(partition_refusal(s->sent)) == REFUSAL_RECONNECT)
        return;
    session_check(s, partition_on_ledger(s->turn, reply), "GET of the ledger");
}

static void session_on_multi(void *ctx, const struct reply *reply, uint32_t index)
{
    struct session *s = ctx;
    (void)index;

    s->multi_open = reply_is_status(reply, SLICE("OK"));
    session_check(s, partition_on_multi(s->turn, reply), "MULTI");
    session_act(s);
}

/* ---- requests ---- */

static void session_send(struct session *s, size_t count, const struct slice args[], link_reply_fn fn)
{
    resp_command(&s->out, count, args);
    link_expect(s->config.link, 1, fn, s);
}

/* Reads, of the partitions of which what the server holds is known to fit the baselines, `sure` among them whatever
 * it says of itself: behind its EXEC, in order, its batch is resolved. */
static bool member_may_read(const struct member *m, const struct partition *sure)
{
    return (m->partition == sure || partition_is_sure(m->partition)) &&
           read_queue_waits(m->session->config.reads, partition_number(m->partition));
}

static void session_append_reads(struct session *s, const struct partition *sure)
{
    uint32_t first = s->turn ? session_find(s, s->turn) : 0;

    for (uint32_t i = 0, readers = 0; i < s->members_count && readers < READERS_MAX; i++) {
        struct member *m = &s->members[(first + i) % s->members_count];
        if (!member_may_read(m, sure))
            continue;
        uint32_t commands = read_queue_send(s->config.reads, partition_number(m->partition), &s->out);
        link_expect(s->config.link, commands, session_on_read, m);
        readers++;
    }
}

static bool session_may_read(const struct session *s)
{
    for (uint32_t i = 0; i < s->members_count; i++) {
        if (member_may_read(&s->members[i], NULL))
            return true;
    }
    return false;
}

/* What ends every write: reads, and the arm for the next batch. */
static void session_finish_write(struct session *s, struct partition *next, const struct partition *sure)
{
    const struct slice key = partition_ledger_key(next);

    session_append_reads(s, sure);
    s->turn = next;
    partition_begin_arm(next);
    uint32_t looks = partition_compose_looks(next, &s->out);
    link_expect(s->config.link, looks, session_on_look, s);
    session_send(s, 2, (struct slice[]){SLICE("WATCH"), key}, session_on_watch);
    session_send(s, 2, (struct slice[]){SLICE("GET"), key}, session_on_ledger);
    session_send(s, 1, (struct slice[]){SLICE("MULTI")}, session_on_multi);
    if (s->out.failed)
        link_fail(s->config.link, -ENOMEM, "no memory for commands");
    else
        link_send(s->config.link, buf_slice(&s->out));
}

static void session_arm(struct session *s, struct partition *next)
{
    buf_clear(&s->out);
    if (s->multi_open)
        session_send(s, 1, (struct slice[]){SLICE("DISCARD")}, session_on_discard);
    session_move(s, SESSION_ARMING);
    session_finish_write(s, next, NULL);
}

static void session_send_batch(struct session *s, const struct batch *b, bool sure, uint64_t now_ms)
{
    struct partition *next = session_next(s, now_ms);

    s->sent = s->turn;
    buf_clear(&s->out);
    link_send(s->config.link, buf_slice(&b->bytes));
    link_expect(s->config.link, batch_commands(b) + 1, session_on_queued, s);
    link_expect(s->config.link, 1, session_on_exec, s);
    session_move(s, SESSION_SENT);
    session_finish_write(s, next ? next : s->turn, sure ? s->sent : NULL);
}

static void session_tick_armed(struct session *s, uint64_t now_ms)
{
    bool sure = partition_is_sure(s->turn);
    const struct batch *b = partition_begin_send(s->turn, now_ms);

    if (b) {
        session_send_batch(s, b, sure, now_ms);
        return;
    }
    struct partition *next = session_next(s, now_ms);
    if (next || session_may_read(s))
        session_arm(s, next ? next : s->turn);
}

static void session_tick_unarmed(struct session *s, uint64_t now_ms)
{
    struct partition *next = session_next(s, now_ms);

    if (next)
        session_arm(s, next);
}

void session_tick(struct session *s, uint64_t now_ms)
{
    switch (s->state) {
    case SESSION_UNARMED: session_tick_unarmed(s, now_ms); return;
    case SESSION_ARMED: session_tick_armed(s, now_ms); return;
    case SESSION_DOWN:
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
    if (s->state != SESSION_DOWN)
        session_move(s, SESSION_DOWN);
}

uint64_t session_wake_ms(const struct session *s)
{
    uint64_t wake = UINT64_MAX;

    if (s->state != SESSION_UNARMED && s->state != SESSION_ARMED)
        return UINT64_MAX;
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
