/* Which node a command is for, as getNodeByQuery() of redis-server's cluster.c decides it. */
#include <stdio.h>

#include "protocol/crc16.h"
#include "support/model.h"

struct route {
    struct slice first_key;
    uint16_t number;
    struct model_slot slot;
    uint32_t keys, missing;
    bool crosses;
};

static void route_add(struct model *m, struct route *r, const struct model_command *cmd)
{
    if (!model_has_key(cmd))
        return;
    uint16_t number = key_slot(cmd->args[1]);
    if (r->keys++ == 0) {
        r->number = number;
        r->slot = m->cluster.slot(m->cluster.ctx, number);
    }
    r->crosses |= number != r->number;
    r->missing += !model_has(m, cmd->args[1]);
}

const char *model_redirect(struct model *m, const struct model_client *c, const struct model_command *cmd, bool exec,
                           char out[64])
{
    struct route r = {0};
    struct model_command queued;

    if (!m->cluster.slot)
        return NULL;
    if (!exec)
        route_add(m, &r, cmd);
    for (size_t at = 0; exec && at < c->queued_bytes && model_parse(buf_slice(&c->queue), &at, &queued) == 1;)
        route_add(m, &r, &queued);
    if (r.keys == 0)
        return NULL;
    if (!r.slot.owner)
        return "-CLUSTERDOWN Hash slot not served";
    if (r.crosses)
        return "-CROSSSLOT Keys in request don't hash to the same slot";
    if (m->cluster.down)
        return "-CLUSTERDOWN The cluster is down";
    if (r.slot.mine && r.slot.migrating && r.missing) {
        if (r.missing < r.keys)
            return "-TRYAGAIN Multiple keys request during rehashing of slot";
        snprintf(out, 64, "-ASK %u %s", r.number, r.slot.migrating);
        return out;
    }
    if (r.slot.mine)
        return NULL;
    snprintf(out, 64, "-MOVED %u %s", r.number, r.slot.owner);
    return out;
}
