#include "nodes/link_settings.h"

#include "redis/access.h"

#define CONNECT_TIMEOUT_MS 3000
#define REPLY_TIMEOUT_MS 5000
#define REPLY_TIMEOUT_MAX_MS 30000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define TEXT_BYTES_MAX (1 << 20)
#define NODES_SPARE 4096 /* replies in one tree beyond those of a batch */

static uint64_t settings_random(void *ctx) { return env_random(ctx); }

struct link_config link_settings(const struct flush_options *options, const struct env *env)
{
    const struct redis_access *redis = options->redis;

    return (struct link_config){
        .transport = *env->transport,
        .random = settings_random,
        .random_ctx = (void *)(uintptr_t)env,
        .user = redis->url.user,
        .credentials = redis->credentials,
        .db = redis->url.db,
        .client_name = "tallyd",
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .reply_timeout_ms = REPLY_TIMEOUT_MS,
        .reply_timeout_max_ms = REPLY_TIMEOUT_MAX_MS,
        .backoff_min_ms = BACKOFF_MIN_MS,
        .backoff_max_ms = BACKOFF_MAX_MS,
        .limits = {.nodes_max = options->batch_keys_max + NODES_SPARE, .text_bytes_max = TEXT_BYTES_MAX},
    };
}
