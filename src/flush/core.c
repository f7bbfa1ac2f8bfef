#include "flush/core.h"

#include <errno.h>
#include <stdlib.h>

#include "base/probes.h"
#include "flush/embedded.h"
#include "flush/forgetting.h"
#include "flush/stored_waits.h"
#include "flush/top_asks.h"
#include "flush/top_looks.h"
#include "flush/total_asks.h"
#include "flush/total_watch.h"
#include "nodes/link_settings.h"
#include "nodes/refusals.h"
#include "nodes/scanner.h"
#include "sync/atomic.h"

#define HELD_RETRY_US 60000000 /* a key that the store refused is tried again this often */
#define HURRY_MS 20            /* between flushes while the workers end */

struct core {
    struct core_config config;
    struct keyspace space;
    struct keys *keys;             /* owned */
    struct store *store;           /* owned; NULL: embedded */
    struct scanner *scanner;       /* owned; likewise */
    struct forgetting *forgetting; /* owned; NULL: embedded, where the memory is the store, or nobody to wake */
    struct accounts accounts;
    struct read_queue reads;
    struct stored_waits waits;
    struct total_asks totals;
    struct top_asks tops;
    struct top_looks looks;
    struct total_watch totals_watch;
    struct writes writes;
    struct refusals refusals;
    uint64_t now_us;            /* of the tick under way */
    uint32_t flush_interval_ms; /* as configured, or shorter while the workers end */
    uint64_t next_flush_us, next_retry_us;
    uint64_t flush_started_us; /* 0: none under way */
    bool draining, hurried;
};

/* ---- ticking ---- */

static uint64_t flush_pause_us(const struct core *c)
{
    uint64_t interval = c->flush_interval_ms * 1000ULL, tenth = interval / 10;

    return interval - tenth + env_random(c->config.env) % (2 * tenth + 1);
}

static bool core_has_work(const struct core *c)
{
    return keys_dirty(c->keys) || (c->store && store_is_busy(c->store)) ||
           (c->draining && tops_are_due(keys_tops(c->keys)));
}

static void core_collect(struct core *c)
{
    if (c->now_us >= c->next_retry_us) {
        keys_release_held(c->keys);
        if (keys_sums(c->keys))
            sums_retry(keys_sums(c->keys));
        tops_retry(keys_tops(c->keys));
        c->next_retry_us = c->now_us + HELD_RETRY_US;
    }
    keys_collect(c->keys);
    tops_let_go(keys_tops(c->keys));
    total_watch_tick(&c->totals_watch);
    stored_waits_hasten(&c->waits);
    if (c->draining || c->hurried)
        keys_wake_all(c->keys);
    accounts_sweep_held(&c->accounts);
    if (!core_has_work(c))
        return;
    stat_add(&c->config.stats->flushes, 1);
    if (c->flush_started_us)
        return;
    c->flush_started_us = c->now_us;
    PROBE(flush_begin, keys_dirty(c->keys));
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
    histogram_add(&stats->flush_time, stats->flush_duration_us, 1);
    PROBE(flush_end, stats->flush_duration_us);
    store_relaxed_u64(&stats->backlog_since_ms, 0);
    c->flush_started_us = 0;
}

static void core_look(struct core *c)
{
    struct question *question = !c->draining && read_queue_has_room(&c->reads) ? top_looks_ask(&c->looks) : NULL;

    if (question)
        read_queue_push(&c->reads, question);
}

void core_tick(struct core *c)
{
    c->now_us = env_now_us(c->config.env);
    keys_set_clock(c->keys, c->now_us / 1000);
    if (c->now_us >= c->next_flush_us || (c->draining && !core_has_work(c))) {
        c->next_flush_us = c->now_us + flush_pause_us(c);
        core_collect(c);
    }
    if (c->forgetting && !c->draining)
        forgetting_tick(c->forgetting, c->now_us / 1000);
    if (c->store) {
        store_tick(c->store, c->now_us / 1000);
        scanner_tick(c->scanner, c->now_us / 1000);
        core_look(c);
        read_queue_expire(&c->reads, c->now_us / 1000);
        writes_expire(&c->writes, c->now_us / 1000);
    } else {
        embedded_store(&c->accounts, c->now_us / 1000);
    }
    stored_waits_settle(&c->waits, c->now_us / 1000);
    total_asks_tick(&c->totals);
    refusals_tick(&c->refusals);
    core_note_end_of_flush(c);
}

void core_reconnect(struct core *c)
{
    if (c->store)
        store_reconnect(c->store);
}

void core_hurry(struct core *c)
{
    if (c->flush_interval_ms > HURRY_MS)
        c->flush_interval_ms = HURRY_MS;
    c->hurried = true;
    c->next_flush_us = 0;
}

void core_drain(struct core *c)
{
    c->draining = true;
    c->next_flush_us = 0;
    if (c->forgetting)
        forgetting_finish(c->forgetting);
}

bool core_is_idle(const struct core *c) { return !core_has_work(c); }

bool core_try_part(struct core *c) { return !c->store || store_try_part(c->store); }

bool core_has_room(const struct core *c) { return read_queue_has_room(&c->reads); }

void core_fail_questions(struct core *c)
{
    read_queue_expire(&c->reads, UINT64_MAX);
    total_asks_finish(&c->totals);
    stored_waits_settle(&c->waits, UINT64_MAX);
    writes_expire(&c->writes, UINT64_MAX);
    if (c->scanner)
        scanner_fail(c->scanner);
}

static void core_scan(struct core *c, struct question *question)
{
    if (c->scanner) {
        scanner_push(c->scanner, question);
        return;
    }
    embedded_scan(c->config.tally, question->scan);
    asker_answer(&c->config.asker, question);
}

/* The reads of a total are the flusher's to sum up. */
static void core_answered(void *ctx, struct question *question)
{
    struct core *c = ctx;

    if (top_looks_is(&c->looks, question))
        top_looks_answered(&c->looks, !c->draining); /* what says farewell has nothing to offer any more */
    else if (question->kind == ASK_TOTAL)
        total_asks_end(&c->totals, question);
    else if (question->kind != ASK_TOP || top_asks_end(&c->tops, question))
        asker_answer(&c->config.asker, question);
}

struct sums *core_sums(const struct core *c) { return keys_sums(c->keys); }
struct tops *core_tops(const struct core *c) { return keys_tops(c->keys); }

void core_ask(struct core *c, struct question *question)
{
    if (question->kind == ASK_STORED) {
        stored_waits_push(&c->waits, question);
        return;
    }
    if (question->kind == ASK_SCAN) {
        core_scan(c, question);
        return;
    }
    if (question->kind == ASK_TOTAL && !total_asks_begin(&c->totals, question)) {
        core_answered(c, question);
        return;
    }
    if (question->kind == ASK_TOP && !top_asks_begin(&c->tops, question)) {
        asker_answer(&c->config.asker, question);
        return;
    }
    if (!c->store) {
        embedded_read(c->keys, question);
        asker_answer(&c->config.asker, question);
        return;
    }
    if (question->kind == ASK_SET || question->kind == ASK_DELETE) {
        writes_push(&c->writes, question);
        return;
    }
    read_queue_push(&c->reads, question);
    store_fail_reads(c->store);
}

uint32_t core_poll(const struct core *c, struct pollfd out[STORE_POLLS_MAX])
{
    uint32_t count = c->store ? store_poll(c->store, out) : 0;

    return c->scanner && scanner_poll(c->scanner, &out[count]) ? count + 1 : count;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t core_wake_us(const struct core *c)
{
    uint64_t wake_ms = stored_waits_wake_ms(&c->waits);
    if (c->store)
        wake_ms = earlier(earlier(earlier(wake_ms, writes_wake_ms(&c->writes)), scanner_wake_ms(c->scanner)),
                          earlier(store_wake_ms(c->store), read_queue_wake_ms(&c->reads)));
    if (c->forgetting && !c->draining)
        wake_ms = earlier(wake_ms, forgetting_wake_ms(c->forgetting));
    uint64_t look_us = c->draining || !read_queue_has_room(&c->reads) ? UINT64_MAX : top_looks_wake_us(&c->looks);
    return earlier(earlier(c->next_flush_us, earlier(total_asks_wake_us(&c->totals), look_us)),
                   wake_ms < UINT64_MAX / 1000 ? wake_ms * 1000 : UINT64_MAX);
}

/* ---- life ---- */

static int core_create_store(struct core *c)
{
    const struct core_config *config = &c->config;
    int failed = store_create(&c->store, &(struct store_config){
                                             .options = config->options,
                                             .accounts = &c->accounts,
                                             .reads = &c->reads,
                                             .space = &c->space,
                                         });
    if (failed)
        return failed;
    return scanner_create(&c->scanner, &(struct scanner_config){
                                           .accounts = &c->accounts,
                                           .space = &c->space,
                                           .link = link_settings(config->options, config->env),
                                           .ctx = c->store,
                                           .home = store_home,
                                           .asker = config->asker,
                                       });
}

static void core_wake(void *ctx, uint32_t worker)
{
    const struct core *c = ctx;

    c->config.wake(c->config.wake_ctx, worker);
}

static void core_cover(void *ctx) { store_cover(((struct core *)ctx)->store); }

static int core_create_forgetting(struct core *c)
{
    const struct core_config *config = &c->config;
    const struct forgetting_config forgetting = {
        .options = config->options,
        .tally = config->tally,
        .keys = c->keys,
        .writes = &c->writes,
        .stats = config->stats,
        .wake = core_wake,
        .covers = core_cover,
        .ctx = c,
    };

    return forgetting_create(&c->forgetting, &forgetting);
}

int core_create(struct core **out, const struct core_config *config)
{
    const struct flush_options *options = config->options;
    struct core *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->config = *config;
    c->now_us = env_now_us(config->env);
    c->flush_interval_ms = options->flush_interval_ms;
    /* Of many that were started together each has its own moment from the first flush on. */
    c->next_flush_us = c->now_us + env_random(config->env) % (c->flush_interval_ms * 1000ULL + 1);
    c->next_retry_us = c->now_us + HELD_RETRY_US;
    keyspace_init(&c->space, options->prefix, flush_is_embedded(options) ? 0 : options->partitions);
    int failed = keys_create(&c->keys, config->tally, &c->space);
    if (!failed && options->totals)
        failed = keys_keep_sums(c->keys);
    if (!failed && options->tops && *options->tops && !flush_is_embedded(options))
        failed = keys_keep_tops(c->keys, options->tops, options->tops_kept ? options->tops_kept : TOPS_KEPT);
    c->accounts =
        (struct accounts){.env = config->env, .keys = c->keys, .books = config->books, .stats = config->stats};
    c->reads.space = &c->space;
    c->reads.keys = c->keys;
    c->reads.answers = tally_answers(config->tally);
    c->reads.asker = (struct asker){core_answered, c};
    c->totals = (struct total_asks){.env = config->env,
                                    .keys = c->keys,
                                    .answers = tally_answers(config->tally),
                                    .asker = config->asker,
                                    .embedded = flush_is_embedded(options)};
    c->tops = (struct top_asks){.keys = c->keys, .reads = flush_is_embedded(options) ? NULL : &c->reads};
    c->totals_watch = (struct total_watch){.env = config->env, .keys = c->keys, .stats = config->stats};
    c->writes.space = &c->space;
    c->writes.asker = config->asker;
    c->accounts.writes = &c->writes;
    c->refusals = (struct refusals){.env = config->env, .keys = c->keys, .options = options};
    c->accounts.refusals = &c->refusals;
    c->waits = (struct stored_waits){.keys = c->keys, .asker = config->asker};
    if (!failed && options->state)
        failed = keys_inherit(c->keys);
    if (!failed && keys_tops(c->keys))
        failed = top_looks_begin(&c->looks, config->env, c->keys, options->state != NULL);
    if (!failed && !flush_is_embedded(options) && options->flush_interval_max_ms)
        failed = keys_let_rest(c->keys, options->flush_interval_max_ms);
    if (!failed && !flush_is_embedded(options))
        failed = core_create_store(c);
    if (!failed && !flush_is_embedded(options) && config->wake)
        failed = core_create_forgetting(c);
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
    forgetting_destroy(c->forgetting);
    top_looks_fini(&c->looks);
    scanner_destroy(c->scanner);
    store_destroy(c->store);
    keys_destroy(c->keys);
    free(c);
}
