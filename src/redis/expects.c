#include "redis/expects.h"

#include <assert.h>

void expects_push(struct expects *e, uint32_t count, link_reply_fn fn, void *ctx, uint64_t now_ms)
{
    assert(e->count < EXPECTS_MAX);
    e->groups[(e->first + e->count++) % EXPECTS_MAX] =
        (struct expect){.fn = fn, .ctx = ctx, .count = count, .asked_ms = now_ms};
}

bool expects_deliver(struct expects *e, const struct reply *reply)
{
    struct expect *group = &e->groups[e->first];

    if (e->count == 0)
        return false;
    uint32_t index = group->seen++;
    link_reply_fn fn = group->fn;
    void *ctx = group->ctx;
    if (group->seen == group->count) {
        e->first = (e->first + 1) % EXPECTS_MAX;
        e->count--;
    }
    fn(ctx, reply, index); /* which may push, and so reuse the group's place */
    return true;
}

uint64_t expects_deadline_ms(const struct expects *e)
{
    const struct expect *group = &e->groups[e->first];

    if (e->count == 0)
        return UINT64_MAX;
    uint64_t since_ms = group->asked_ms > e->moved_ms ? group->asked_ms : e->moved_ms;
    uint64_t quiet_ms = since_ms + e->pause_ms, ceiling_ms = group->asked_ms + e->ceiling_ms;
    return quiet_ms < ceiling_ms ? quiet_ms : ceiling_ms;
}
