#include "flush/core.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "flush/embedded.h"
#include "sync/atomic.h"

#define CONNECT_TIMEOUT_MS 3000
#define REPLY_TIMEOUT_MS 5000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define HELD_RETRY_US 60000000 /* a key that the store refused is tried again this often */
#define DOWN_LOG_EVERY_MS 30000
#define TEXT_BYTES_MAX (1 << 20)
#define NODES_SPARE 4096 /* replies in one tree beyond those of a batch */

struct core {
    struct core_config config;
    struct keys *keys;           /* owned */
    struct link *link;           /* owned; NULL: embedded */
    struct partition *partition; /* owned; NULL: embedded */
    struct accounts accounts;
    struct read_queue reads;
    uint64_t now_us; /* of the tick under way */
    uint64_t next_flush_us, next_retry_us;
    uint64_t flush_started_us; /* 0: none under way */
    uint64_t down_logged_ms;
    bool is_down; /* an attempt failed or a connection ended, and none succeeded since */
    bool draining;
};

/* ---- the link's news ---- */

void core_fail_reads(struct core *c) { read_queue_expire(&c->reads, UINT64_MAX); }

static void core_link_ready(void *ctx)
{
    struct core *c = ctx;

    ENV_LOG(c->config.env, LOG_LEVEL_INFO, "redis_connected", log_str("host", c->config.host),
            log_num("port", c->config.port));
    c->is_down = false;
    store_relaxed_u8((uint8_t *)&c->config.stats->connected, 1);
    partition_link_ready(c->partition);
}

static void core_link_down(void *ctx)
{
    struct core *c = ctx;
    uint64_t now_ms = c->now_us / 1000;

    store_relaxed_u8((uint8_t *)&c->config.stats->connected, 0);
    stat_add(&c->config.stats->link_errors, 1);
    partition_link_down(c->partition);
    /* Whoever reads is told at once, not at a deadline: a page must not wait for an outage to end. */
    core_fail_reads(c);
    if (c->is_down && now_ms - c->down_logged_ms < DOWN_LOG_EVERY_MS)
        return;
    c->is_down = true;
    c->down_logged_ms = now_ms;
    ENV_LOG(c->config.env, LOG_LEVEL_WARN, "redis_lost", log_str("host", c->config.host),
            log_num("port", c->config.port), log_str("why", link_reason(c->link)), log_err(link_reason_code(c->link)));
}

static void core_link_refused(void *ctx, enum redis_error_class error)
{
    struct core *c = ctx;

    accounts_count_error(&c->accounts, error);
}

static void core_link_evicts(void *ctx, struct slice policy)
{
    struct core *c = ctx;

    ENV_LOG(c->config.env, LOG_LEVEL_WARN, "redis_evicts", log_bytes("maxmemory_policy", policy.at, policy.bytes),
            log_str("do", "set maxmemory-policy noeviction: an evicted counter is lost"));
}

/* ---- ticking ---- */

static uint64_t flush_pause_us(const struct core *c)
{
    uint64_t interval = c->config.flush_interval_ms * 1000ULL, tenth = interval / 10;

    return interval - tenth + env_random(c->config.env) % (2 * tenth + 1);
}

static bool core_has_work(const struct core *c)
{
    return keys_dirty(c->keys) || (c->partition && partition_busy(c->partition));
}

static void core_collect(struct core *c)
{
    if (c->now_us >= c->next_retry_us) {
        keys_release_held(c->keys);
        c->next_retry_us = c->now_us + HELD_RETRY_US;
    }
    keys_collect(c->keys);
    accounts_sweep_held(&c->accounts);
    if (!core_has_work(c))
        return;
    stat_add(&c->config.stats->flushes, 1);
    if (c->flush_started_us)
        return;
    c->flush_started_us = c->now_us;
    store_relaxed_u64(&c->config.stats->backlog_since_ms, c->now_us / 1000);
}

static void core_note_end_of_flush(struct core *c)
{
    struct flusher_stats *stats = c->config.stats;

    store_relaxed_u64(&stats->keys_dirty, keys_dirty(c->keys));
    store_relaxed_u64(&stats->keys_poisoned, keys_held(c->keys));
    if (!c->flush_started_us || core_has_work(c))
        return;
    store_relaxed_u64(&stats->flush_duration_us, env_now_us(c->config.env) - c->flush_started_us);
    store_relaxed_u64(&stats->backlog_since_ms, 0);
    c->flush_started_us = 0;
}

static void core_note_traffic(struct core *c)
{
    const struct link_traffic *t = link_traffic(c->link);
    struct flusher_stats *stats = c->config.stats;

    store_relaxed_u64(&stats->commands, t->commands);
    store_relaxed_u64(&stats->bytes_out, t->bytes_out);
    store_relaxed_u64(&stats->bytes_in, t->bytes_in);
    store_relaxed_u64(&stats->reconnects, t->connects ? t->connects - 1 : 0);
}

static void core_talk(struct core *c)
{
    uint64_t now_ms = c->now_us / 1000;

    link_tick(c->link, now_ms);
    partition_tick(c->partition, now_ms);
    link_flush(c->link);
    read_queue_expire(&c->reads, now_ms);
    core_note_traffic(c);
}

void core_tick(struct core *c)
{
    c->now_us = env_now_us(c->config.env);
    if (c->now_us >= c->next_flush_us || (c->draining && !core_has_work(c))) {
        c->next_flush_us = c->now_us + flush_pause_us(c);
        core_collect(c);
    }
    if (c->link)
        core_talk(c);
    else
        embedded_store(&c->accounts, c->now_us / 1000);
    core_note_end_of_flush(c);
}

void core_drain(struct core *c)
{
    c->draining = true;
    c->next_flush_us = 0;
}

bool core_is_idle(const struct core *c) { return !core_has_work(c); }

bool core_has_read_room(const struct core *c) { return read_queue_has_room(&c->reads); }
void core_read(struct core *c, struct read_op *op)
{
    if (!c->link) {
        embedded_read(c->keys, op);
        c->config.answered(c->config.answered_ctx, op);
        return;
    }
    read_queue_push(&c->reads, op);
    if (c->is_down)
        core_fail_reads(c);
}

void core_poll(const struct core *c, struct pollfd *out)
{
    if (c->link)
        link_poll(c->link, out);
    else
        *out = (struct pollfd){.fd = -1};
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t core_wake_us(const struct core *c)
{
    if (!c->link)
        return c->next_flush_us;
    uint64_t wake_ms = earlier(link_wake_ms(c->link), partition_wake_ms(c->partition));
    wake_ms = earlier(wake_ms, read_queue_wake_ms(&c->reads));
    return earlier(c->next_flush_us, wake_ms < UINT64_MAX / 1000 ? wake_ms * 1000 : UINT64_MAX);
}

/* ---- life ---- */

static uint64_t core_random(void *ctx) { return env_random(ctx); }

static int core_create_link(struct core *c)
{
    const struct core_config *config = &c->config;
    const struct link_config link = {
        .transport = config->env->transport,
        .random = core_random,
        .random_ctx = (void *)(uintptr_t)config->env,
        .host = config->host,
        .port = config->port,
        .user = config->user,
        .password = config->password,
        .db = config->db,
        .client_name = "tallyd",
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .reply_timeout_ms = REPLY_TIMEOUT_MS,
        .backoff_min_ms = BACKOFF_MIN_MS,
        .backoff_max_ms = BACKOFF_MAX_MS,
        .limits = {.nodes_max = config->batch_keys_max + NODES_SPARE, .text_bytes_max = TEXT_BYTES_MAX},
    };
    const struct link_user user = {
        .ctx = c,
        .ready = core_link_ready,
        .down = core_link_down,
        .refused = core_link_refused,
        .evicts = core_link_evicts,
    };

    return link_create(&c->link, &link, &user);
}

static int core_create_partition(struct core *c)
{
    const struct partition_config partition = {
        .chain = {.accounts = &c->accounts,
                  .prefix = {c->config.prefix, strlen(c->config.prefix)},
                  .instance = c->config.instance,
                  .batch_keys_max = c->config.batch_keys_max,
                  .on_ledger_loss = c->config.on_ledger_loss},
        .reads = &c->reads,
        .link = c->link,
    };

    return partition_create(&c->partition, &partition);
}

int core_create(struct core **out, const struct core_config *config)
{
    struct core *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->config = *config;
    c->now_us = env_now_us(config->env);
    c->next_flush_us = c->now_us + flush_pause_us(c);
    c->next_retry_us = c->now_us + HELD_RETRY_US;
    int failed = keys_create(&c->keys, config->tally);
    c->accounts =
        (struct accounts){.env = config->env, .keys = c->keys, .books = config->books, .stats = config->stats};
    c->reads.keys = c->keys;
    c->reads.answered = config->answered;
    c->reads.answered_ctx = config->answered_ctx;
    if (!failed && config->host[0] && !(failed = core_create_link(c)))
        failed = core_create_partition(c);
    if (failed) {
        core_destroy(c);
        return failed;
    }
    *out = c;
    return 0;
}

void core_destroy(struct core *c)
{
    if (!c)
        return;
    partition_destroy(c->partition);
    link_destroy(c->link);
    keys_destroy(c->keys);
    free(c);
}
