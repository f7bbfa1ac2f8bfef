#include "redis/greeting.h"

#include "protocol/command.h"

#include <stdio.h>
#include <stdlib.h>

enum greeting_step { STEP_AUTH, STEP_SELECT, STEP_SETNAME, STEP_MEMORY, STEP_REPLICATION, STEP_MULTI, STEP_EXEC };

static const char *const step_names[] = {"AUTH", "SELECT", "CLIENT SETNAME", "INFO", "INFO", "MULTI", "EXEC"};
static const char *const step_rules[] = {"auth", "select", "client|setname", "info", "info", "multi", "exec"};

static void greeting_step(struct greeting *g, enum greeting_step step, struct buf *out, size_t count,
                          const struct slice args[])
{
    g->steps[g->steps_count++] = (uint8_t)step;
    command_append(out, count, args);
}

static void compose_auth(struct greeting *g, const struct greeting_config *config, struct buf *out)
{
    if (config->user[0])
        greeting_step(g, STEP_AUTH, out, 3,
                      (struct slice[]){SLICE("AUTH"), slice_of(config->user), slice_of(config->password)});
    else
        greeting_step(g, STEP_AUTH, out, 2, (struct slice[]){SLICE("AUTH"), slice_of(config->password)});
}

uint32_t greeting_compose(struct greeting *g, const struct greeting_config *config, struct buf *out)
{
    char db[16];

    *g = (struct greeting){.any_role = config->any_role};
    snprintf(db, sizeof(db), "%u", config->db);
    if (config->password)
        compose_auth(g, config, out);
    if (config->db)
        greeting_step(g, STEP_SELECT, out, 2, (struct slice[]){SLICE("SELECT"), slice_of(db)});
    greeting_step(g, STEP_SETNAME, out, 3,
                  (struct slice[]){SLICE("CLIENT"), SLICE("SETNAME"), slice_of(config->client_name)});
    greeting_step(g, STEP_MEMORY, out, 2, (struct slice[]){SLICE("INFO"), SLICE("memory")});
    greeting_step(g, STEP_REPLICATION, out, 2, (struct slice[]){SLICE("INFO"), SLICE("replication")});
    greeting_step(g, STEP_MULTI, out, 1, (struct slice[]){SLICE("MULTI")});
    greeting_step(g, STEP_EXEC, out, 1, (struct slice[]){SLICE("EXEC")});
    return g->steps_count;
}

/* The value of "field:value\r\n" in INFO; empty when it is not there. `field` holds the ':'. */
static struct slice info_value(struct slice info, struct slice field)
{
    const char *at = memmem(info.at, info.bytes, field.at, field.bytes);

    if (!at)
        return (struct slice){info.at, 0};
    at += field.bytes;
    size_t rest = (size_t)(info.at + info.bytes - at);
    const char *end = memchr(at, '\r', rest);
    return (struct slice){at, end ? (size_t)(end - at) : rest};
}

static void read_policy(struct greeting *g, struct slice info)
{
    struct slice policy = info_value(info, SLICE("maxmemory_policy:"));

    if (policy.bytes >= sizeof(g->policy_text) || slice_equals(policy, SLICE("noeviction")))
        return;
    memcpy(g->policy_text, policy.at, policy.bytes);
    g->policy = (struct slice){g->policy_text, policy.bytes};
}

static void read_lineage(struct greeting *g, struct slice info)
{
    struct slice id = info_value(info, SLICE("master_replid:"));
    char digits[17] = "";

    if (id.bytes >= sizeof(digits))
        memcpy(digits, id.at, sizeof(digits) - 1);
    g->lineage = strtoull(digits, NULL, 16);
}

static enum greeting_result greeting_refuse(struct greeting *g, enum greeting_step step, enum redis_error_class error)
{
    g->error = error;
    g->command = step_rules[step];
    snprintf(g->reason, sizeof(g->reason), "the server refused %s: %s", step_names[step], redis_error_name(error));
    return GREETING_REFUSED;
}

static bool step_matters(enum greeting_step step, enum redis_error_class error)
{
    /* What concerns the connection, not the command. */
    if (error == REDIS_ERROR_NOAUTH || error == REDIS_ERROR_PROTECTED || error == REDIS_ERROR_MAX_CLIENTS)
        return true;
    return step != STEP_SETNAME && step != STEP_MEMORY && step != STEP_REPLICATION;
}

static bool is_replica(enum greeting_step step, const struct reply *reply)
{
    return step == STEP_REPLICATION && reply->type == REPLY_STRING &&
           slice_equals(info_value(reply->text, SLICE("role:")), SLICE("slave"));
}

enum greeting_result greeting_take(struct greeting *g, const struct reply *reply)
{
    enum greeting_step step = g->steps[g->steps_done++];

    if (reply->type == REPLY_ERROR) {
        enum redis_error_class error = redis_error_classify(reply->text);
        if (step_matters(step, error))
            return greeting_refuse(g, step, error);
    } else if (!g->any_role && is_replica(step, reply)) {
        return greeting_refuse(g, step, REDIS_ERROR_READONLY);
    } else if (step == STEP_MEMORY && reply->type == REPLY_STRING) {
        read_policy(g, reply->text);
    } else if (step == STEP_REPLICATION && reply->type == REPLY_STRING) {
        read_lineage(g, reply->text);
    }
    return g->steps_done == g->steps_count ? GREETING_DONE : GREETING_GOES_ON;
}
