#pragma once
/* A whole flusher without thread or time: the core, two shards, a fake Redis and a clock that tests turn. */

#include "flush/core.h"
#include "redis/access.h"
#include "support/fake_redis.h"

#define WORLD_KEYS_MAX 8192

struct world {
    struct fake_redis redis;
    struct env env;
    struct transport transport; /* of `env` */
    struct redis_access access;
    struct flush_options options; /* points to `access` */
    uint64_t now_us;
    uint64_t seed;
    struct tally *tally;
    struct books books;
    struct flusher_stats stats;
    struct core *core;
    uint64_t accepted;
    struct question *answered[16];
    int answered_count;
    char last_event[64];
    char last_numbers[256]; /* " name=number" each */
    int events;
    const struct fake_redis *others; /* the rest of a cluster, which may have news as well */
    int others_count;
    bool leaked; /* a log line held what looks like a secret */
};

uint64_t world_now_us(void *ctx);
uint64_t world_random(void *ctx) /* xorshift64* */;

struct world_options {
    uint64_t seed;
    uint32_t batch_keys_max;
    uint32_t workers;          /* 0: two */
    uint64_t replay_window_ms; /* 0: none */
    bool embedded;
    enum ledger_loss on_ledger_loss;
    const char *password;
    struct transport transport; /* ops NULL: to the one Redis of the world */
    uint32_t partitions;        /* 0: standalone */
    uint16_t port;              /* 0: 6379 */
};

const char *world_password(void *ctx, struct error *err);
struct credentials world_credentials(const char *password);
/* With w->options as they are now. 0 or -ENOMEM. */
int world_create_core(struct world *w);
void world_init_with(struct world *w, const struct world_options *o);
void world_init(struct world *w);
void world_fini(struct world *w);
void world_hit(struct world *w, uint32_t worker, const char *name, uint64_t n);
struct flusher_books world_books(const struct world *w);
void world_step(struct world *w);
void world_run_ms(struct world *w, uint64_t ms);
/* Until all that was accepted is stored, lost or poisoned; false: not within a minute. */
bool world_settle(struct world *w);
struct tally_value world_read(const struct world *w, const char *name);
struct question *world_ask_kind(struct world *w, enum question_kind kind, const char *name, int64_t value,
                                uint64_t timeout_ms);
struct question *world_ask(struct world *w, const char *name, uint64_t timeout_ms);
