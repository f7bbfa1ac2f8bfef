#pragma once
/* Everything of the world that the flush code may touch, as functions: a clock, chance, the network, a log.
 * The real one is env_real_init(); a simulation brings its own and owns time and fate.
 *
 * Thread: the flusher's. */

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "base/siphash.h"
#include "redis/transport.h"

struct env {
    void *ctx;
    uint64_t (*now_us)(void *ctx); /* monotonic */
    uint64_t (*random)(void *ctx); /* 64 unpredictable bits; cannot fail */
    void (*log)(void *ctx, enum log_level level, const char *event, const struct log_field *fields);
    struct transport transport;
};

/* Where the real chance comes from: SipHash over a counter, keyed once by the kernel. */
struct env_chance {
    struct siphash_key key;
    uint64_t drawn;
};

/* `chance` must outlive `env`. 0, or -errno when the kernel has no randomness to give. */
int env_real_init(struct env *env, struct env_chance *chance, struct error *err);

static inline uint64_t env_now_us(const struct env *env) { return env->now_us(env->ctx); }
static inline uint64_t env_random(const struct env *env) { return env->random(env->ctx); }
void env_uuid(const struct env *env, char out[UUID_TEXT_BYTES]);

#define ENV_LOG(env, level, event, ...)                                                                                \
    (env)->log((env)->ctx, (level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
