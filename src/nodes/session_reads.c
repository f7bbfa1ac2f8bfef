/* What a session asks for beside its batches: counters that somebody reads, and ledgers that should be as they were. */
#include "nodes/outcomes.h"
#include "nodes/refusals.h"
#include "nodes/session_inside.h"
#include "protocol/command.h"
#include "redis/error.h"

#define READERS_MAX 16 /* partitions that read in one write; the others have their turn in the next */

/* One more is answered. */
static void session_was_told(struct session *s)
{
    s->reads_due--;
    if (s->state == SESSION_READING && s->reads_due == 0)
        session_move(s, SESSION_UNARMED);
}

/* ---- counters ---- */

static void session_on_read(void *ctx, const struct reply *reply, uint32_t index)
{
    const struct member *m = ctx;
    struct accounts *a = m->session->config.accounts;
    (void)index;

    if (reply->type == REPLY_ERROR)
        accounts_count_error(a, redis_error_classify(reply->text));
    refusals_of(a->refusals, &m->session->refused_read, "getrange", reply, m->session->config.link);
    read_queue_take(m->session->config.reads, partition_number(m->partition), reply, accounts_now_ms(a));
    session_was_told(m->session);
}

/* Reads, of the partitions of which what the server holds is known to fit the baselines, `sure` among them whatever
 * it says of itself: behind its EXEC, in order, its batch is resolved. */
static bool member_may_read(const struct member *m, const struct partition *sure)
{
    return (m->partition == sure || partition_is_sure(m->partition)) &&
           read_queue_waits(m->session->config.reads, partition_number(m->partition));
}

void session_append_reads(struct session *s, const struct partition *sure)
{
    uint32_t first = s->turn ? session_find(s, s->turn) : 0;

    for (uint32_t i = 0, readers = 0; i < s->members_count && readers < READERS_MAX; i++) {
        struct member *m = &s->members[(first + i) % s->members_count];
        if (!member_may_read(m, sure))
            continue;
        uint32_t commands = read_queue_send(s->config.reads, partition_number(m->partition), &s->out);
        link_expect(s->config.link, commands, session_on_read, m);
        s->reads_due += commands;
        readers++;
    }
}

bool session_may_read(const struct session *s)
{
    for (uint32_t i = 0; i < s->members_count; i++) {
        if (member_may_read(&s->members[i], NULL))
            return true;
    }
    return false;
}

/* ---- ledgers ---- */

static void session_on_look(void *ctx, const struct reply *reply, uint32_t index)
{
    struct member *m = ctx;
    struct session *s = m->session;
    const struct outcome o = outcome_of(STEP_LEDGER, reply, NULL);
    (void)index;

    if (o.kind == OUTCOME_STRANGE) {
        link_fail(s->config.link, -EPROTO, "%s was not answered as it should be", outcome_step_name(STEP_LEDGER));
        return;
    }
    if (!partition_take_look(m->partition, &o)) {
        for (uint32_t i = 0; i < s->members_count; i++) /* where one was forgotten others may have been */
            partition_mistrust(s->members[i].partition);
    }
    session_was_told(s);
}

bool session_may_look(const struct session *s, uint64_t now_ms)
{
    bool may = false;

    for (uint32_t i = 0; i < s->members_count && !may; i++)
        may = now_ms >= partition_look_ms(s->members[i].partition);
    return may;
}

void session_append_ledger_looks(struct session *s, uint64_t now_ms)
{
    for (uint32_t i = 0; i < s->members_count; i++) {
        struct member *m = &s->members[i];
        if (now_ms < partition_look_ms(m->partition))
            continue;
        command_append(&s->out, 2, (struct slice[]){SLICE("GET"), partition_ledger_key(m->partition)});
        link_expect(s->config.link, 1, session_on_look, m);
        s->reads_due++;
    }
}

/* ---- the end ---- */

/* Whether it is deleted or not, nobody waits for it. */
static void session_on_farewell(void *ctx, const struct reply *reply, uint32_t index)
{
    struct member *m = ctx;
    (void)index;

    if (reply->type == REPLY_ERROR)
        accounts_count_error(m->session->config.accounts, redis_error_classify(reply->text));
    session_was_told(m->session);
}

bool session_has_farewell(const struct session *s)
{
    bool has = false;

    for (uint32_t i = 0; s->parts && !s->parted && i < s->members_count && !has; i++)
        has = partition_leaves_ledger(s->members[i].partition);
    return has;
}

/* In no transaction: what is still on its way from this process finds its WATCH broken. */
void session_append_farewell(struct session *s)
{
    if (!session_has_farewell(s))
        return;
    s->parted = true;
    for (uint32_t i = 0; i < s->members_count; i++) {
        struct member *m = &s->members[i];
        if (!partition_leaves_ledger(m->partition))
            continue;
        command_append(&s->out, 2, (struct slice[]){SLICE("DEL"), partition_ledger_key(m->partition)});
        link_expect(s->config.link, 1, session_on_farewell, m);
        s->reads_due++;
    }
}

bool session_try_part(struct session *s)
{
    s->parts = true;
    return s->state == SESSION_DOWN ||
           ((s->state == SESSION_UNARMED || s->state == SESSION_ARMED) && !session_has_farewell(s));
}
