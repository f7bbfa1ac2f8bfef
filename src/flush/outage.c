#include "flush/outage.h"

#define LOG_EVERY_MS 30000

void outage_lost(struct outage *o, const struct env *env, const struct node_address *node, const struct link *link)
{
    uint64_t now_ms = env_now_us(env) / 1000;

    if (o->reported && now_ms - o->logged_ms < LOG_EVERY_MS)
        return;
    o->reported = true;
    o->logged_ms = now_ms;
    ENV_LOG(env, LOG_LEVEL_WARN, "redis_lost", log_str("host", node->host), log_num("port", node->port),
            log_str("why", link_reason(link)), log_err(link_reason_code(link)));
}
