#include "owed/env.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"

static uint64_t real_now_us(void *ctx)
{
    (void)ctx;
    return clock_mono_ns() / 1000;
}

static uint64_t real_random(void *ctx)
{
    uint64_t drawn;
    (void)ctx;

    int failed = random_bytes(&drawn, sizeof(drawn));
    assert(!failed); /* a kernel that once had some has it for ever (random(7)) */
    return drawn;
}

static void real_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields)
{
    (void)ctx;
    log_event(level, event, fields);
}

int env_real_init(struct env *env, struct error *err)
{
    uint64_t first;
    int failed = random_bytes(&first, sizeof(first));

    if (failed)
        return error_set(err, failed, "the kernel gives no random numbers (getrandom)");
    *env = (struct env){
        .now_us = real_now_us,
        .random = real_random,
        .log = real_log,
    };
    return 0;
}

void env_uuid(const struct env *env, char out[UUID_TEXT_BYTES])
{
    uint64_t high = env_random(env), low = env_random(env);

    snprintf(out, UUID_TEXT_BYTES, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0x0fff, (unsigned)(0x8000 | (low >> 48 & 0x3fff)),
             (unsigned long long)(low & 0xffffffffffff));
}
