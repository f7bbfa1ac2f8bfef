/* Reads of counters travel between the batches of a session. */
#include "nodes/refusals.h"
#include "nodes/session_inside.h"
#include "redis/error.h"

#define READERS_MAX 16 /* partitions that read in one write; the others have their turn in the next */

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
