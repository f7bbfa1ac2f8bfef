#pragma once
/* Everything of the world that the flush code may touch, as functions. It is a clock, chance, a log and the network.
 * The real one is env_real_init(). A simulation brings its own, and owns time and fate.
 *
 * Thread: the flusher's. */

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"

struct transport; /* redis/transport.h */

/* What has just been done to the state file. A simulation may let the process die there. */
enum env_step {
    ENV_STEP_RECORD_BEGUN,
    ENV_STEP_RECORD_WRITTEN,
    ENV_STEP_INTENT,
    ENV_STEP_BASELINE,
    ENV_STEP_MOVED, /* a baseline, by a move between two copies of the store */
    ENV_STEP_ACK_WRITTEN,
    ENV_STEP_ACKED,
    ENV_STEPS,
};

struct env {
    void *ctx;
    uint64_t (*now_us)(void *ctx); /* monotonic */
    uint64_t (*random)(void *ctx); /* 64 unpredictable bits. It cannot fail */
    void (*log)(void *ctx, enum log_level level, const char *event, const struct log_field *fields);
    const struct transport *transport;           /* the network, for nodes/. The caller's */
    void (*step)(void *ctx, enum env_step step); /* may be NULL */
};

/* Its chance is the kernel's at each draw. What is kept in memory would be drawn again by a clone of this process, as a
 * machine's snapshot makes them. It has no network. Returns 0, or -errno when the kernel has no randomness to give. */
int env_real_init(struct env *env, struct error *err);

static inline uint64_t env_now_us(const struct env *env) { return env->now_us(env->ctx); }
static inline void env_step(const struct env *env, enum env_step step)
{
    if (env->step)
        env->step(env->ctx, step);
}
static inline uint64_t env_random(const struct env *env) { return env->random(env->ctx); }
void env_uuid(const struct env *env, char out[UUID_TEXT_BYTES]);

#define ENV_LOG(env, level, event, ...)                                                                                \
    (env)->log((env)->ctx, (level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
