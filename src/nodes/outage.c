#include "nodes/outage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_EVERY_MS 30000
#define LOG_OTHER_MS 1000

void outage_lost(struct outage *o, const struct env *env, const struct node_address *node, const struct link *link)
{
    uint64_t now_ms = env_now_us(env) / 1000;
    const char *why = link_reason(link);
    bool other = strncmp(o->why, why, sizeof(o->why) - 1) != 0;

    o->idle = link_ended_idle(link);
    if (o->idle)
        return;
    if (link_reason_code(link) == -EKEYREJECTED) { /* which is said elsewhere */
        o->reported = true;
        return;
    }
    if (o->reported && now_ms - o->logged_ms < (other ? LOG_OTHER_MS : LOG_EVERY_MS))
        return;
    o->reported = true;
    o->logged_ms = now_ms;
    snprintf(o->why, sizeof(o->why), "%s", why);
    ENV_LOG(env, LOG_LEVEL_WARN, "redis_lost", log_str("host", link_host(link)), log_num("port", node->port),
            log_str("why", why), log_err(link_reason_code(link)));
}

enum log_level outage_over(struct outage *o)
{
    enum log_level level = o->idle && !o->reported ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

    o->reported = false;
    return level;
}
