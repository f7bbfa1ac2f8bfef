/* What runs, in the order in which it starts; it stops in the mirrored order. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "app/app.h"
#include "app/engine_choice.h"
#include "app/signals.h"
#include "base/capabilities.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/file_guard.h"
#include "config/unknown_env.h"
#include "forms/json.h"
#include "machine/memory.h"
#include "request/api_config.h"
#include "sandbox/name_services.h"
#include "sandbox/sandbox.h"
#include "version.h"

#define STREAMS_MAX 256
#define STREAMS_SHARE 4

static int log_start(struct app *a, struct error *err)
{
    (void)err;
    log_init((enum log_level)a->options->log_level, (enum log_format)a->options->log_format);
    /* Only the name: the value may be a secret that went astray. */
    for (const char *const *at = (const char *const *)environ; (at = unknown_env_find(at)); at++) {
        char remedy[UNKNOWN_ENV_REMEDY_BYTES];
        unknown_env_remedy(*at, remedy);
        LOG_WARN("unknown_variable", log_bytes("name", *at, strcspn(*at, "=")), log_str("effect", "ignored"),
                 log_str("remedy", remedy));
    }
    return 0;
}

/* The flusher's thread reads JSON, too (redis/aws_keys.c). */
static int json_start(struct app *a, struct error *err)
{
    (void)a;
    int failed = json_init();
    return failed ? error_set(err, failed, "no randomness from the kernel: %s", strerror(-failed)) : 0;
}

static int privileges_start(struct app *a, struct error *err) { return privileges_drop(a->options, err); }

static void sandbox_report(const char *event, int failed)
{
    if (failed)
        LOG_WARN(event, log_err(failed), log_str("effect", "goes on without"),
                 log_str("remedy", "allow it, or say --sandbox off"));
}

/* Before the first thread, since each inherits it. */
static int sandbox_begin(struct app *a, struct error *err)
{
    (void)err;
    if (a->options->sandbox != OPTION_SANDBOX_AUTO)
        return 0;
    sandbox_privileges();
    if (sandbox_resolves_names(a->options))
        name_services_load("/etc/nsswitch.conf");
    sandbox_report("no_landlock", sandbox_files(a->options));
    return 0;
}

/* Behind the last: the filter is for all of them at once. */
static int sandbox_end(struct app *a, struct error *err)
{
    (void)err;
    capabilities_drop(); /* of main; the other threads have done so themselves */
    if (a->options->sandbox == OPTION_SANDBOX_AUTO)
        sandbox_report("no_seccomp", sandbox_calls(a->options));
    return 0;
}

/* Before any of them is read. */
static int guard_start(struct app *a, struct error *err)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        if (file_guard_leaks(a->options, (enum option_index)i))
            LOG_WARN("secret_readable", log_str("option", option_at((enum option_index)i)->name),
                     log_str("effect", "every user of this machine may read it"),
                     log_str("remedy", "chmod o-r; in Kubernetes defaultMode: 0440 with fsGroup"));
    return file_guard_options(a->options, err);
}

static int cpus_start(struct app *a, struct error *err)
{
    (void)err;
    workers_count(a);
    return 0;
}

static int figures_start(struct app *a, struct error *err)
{
    (void)err;
    process_figures_open(&a->process, memory_limit(""));
    return 0;
}

static void figures_stop(struct app *a) { process_figures_close(&a->process); }

static int buffers_start(struct app *a, struct error *err)
{
    (void)err;
    budget_init(&a->buffers, memory_for_buffers(a->options->max_buffer_bytes, a->process.memory_limit));
    return 0;
}

static int signals_start(struct app *a, struct error *err)
{
    int fd = signals_open(err);
    a->signal_fd = fd;
    return fd < 0 ? fd : 0;
}

static void signals_stop(struct app *a) { signals_close(a->signal_fd); }

static uint32_t keys_max_ns(const struct options *o)
{
    return (uint32_t)(o->max_keys_ns ? o->max_keys_ns : o->max_keys - o->max_keys / 8);
}

/* "tally:" with namespace "a" and key "b:c", and "tally:a:" with "b" and "c", are one key in the store. */
static void prefix_check(const char *prefix)
{
    size_t bytes = strcspn(prefix, ":");
    if (prefix[bytes] != ':' || prefix[bytes + 1] != '\0')
        LOG_WARN("prefix_overlaps", log_str("prefix", prefix),
                 log_str("effect", "where another begins with it, or it with another, their counters may be the same"),
                 log_str("remedy", "one word and a colon, such as tally: or shop:"));
}

/* Of one worker: a bound on what they cost, and a quarter of its connections, so that hits have room. */
static uint32_t streams_max(const struct app *a)
{
    uint32_t share = (a->conns_max + STREAMS_SHARE - 1) / STREAMS_SHARE;
    return share < STREAMS_MAX ? share : STREAMS_MAX;
}

static int api_begin(struct app *a, struct error *err)
{
    if (*a->options->redis.host)
        prefix_check(a->options->prefix);
    struct api_config config = {
        .tally = a->tally,
        .mailbox = flusher_mailbox(a->flusher),
        .ranking = &a->ranking,
        .embedded = *a->options->redis.host == '\0',
        .proxy_protocol = a->options->proxy_protocol == OPTION_PROXY_PROTOCOL_V2,
        .rate_limit = (uint32_t)a->options->rate_limit,
        .rate_burst = (uint32_t)a->options->rate_burst,
        .flush_interval_ms = (uint32_t)(a->options->flush_interval_us / US_PER_MS),
        .partitions = a->options->redis_mode == OPTION_REDIS_CLUSTER ? (uint32_t)a->options->partitions : 1,
        .keys_max_ns = keys_max_ns(a->options),
        .streams_max = streams_max(a),
        .reads = (uint32_t)a->options->reads,
        .reads_client = (uint32_t)a->options->reads_client,
        .new_keys = (uint32_t)a->options->new_keys,
        .new_keys_client = (uint32_t)a->options->new_keys_client,
        .namespaces = *a->options->namespaces ? &a->namespaces : NULL,
        .tops = *a->options->top ? &a->tops : NULL,
    };
    namespaces_parse(&a->namespaces, a->options->namespaces, err);
    namespaces_parse(&a->tops, a->options->top, err);
    proxies_parse(&config.proxies, a->options->trusted_proxies); /* options_agree() has tried both */
    return api_create(&a->api, &config, err);
}

static void api_end(struct app *a) { api_destroy(a->api); }

static int admin_start(struct app *a, struct error *err)
{
    a->sources = (struct sources){
        .options = a->options,
        .tally = a->tally,
        .flusher = a->flusher,
        .api = a->api,
        .v1 = api_admin_handler(a->api),
        .policy_watch = a->policy_watch,
        .workers = a->workers,
        .workers_count = a->workers_count,
        .conns_max = a->conns_max,
        .streams_max = streams_max(a),
        .buffer_bytes_max = budget_bytes_max(&a->buffers),
        .process = &a->process,
        .ranking = &a->ranking,
        .instance = a->instance,
        .recovered_hits = a->recovered_hits,
        .state_lost_hits = a->state_lost_hits,
        .state_copied = a->state_copied,
        .started_wall_ms = clock_wall_ms(),
        .life = LIFE_STARTING,
    };
    (void)err;
    worker_serve(a->admin);
    return 0;
}

static void admin_stop(struct app *a) { worker_stop(a->admin); }

/* The address with the port that was really bound. */
static void bound_format(const struct address *asked, const struct worker *w, char out[VALUE_TEXT_BYTES])
{
    struct sockaddr_storage bound = asked->socket;
    address_set_port(&bound, worker_port(w));
    value_format_address(&bound, out);
}

static int ready_start(struct app *a, struct error *err)
{
    tally_open_desks(a->tally, true); /* the admin reads counters, too */
    (void)err;
    char public[VALUE_TEXT_BYTES], admin[VALUE_TEXT_BYTES], redis[sizeof(a->options->redis.host) + 8] = "none";
    const struct redis_url *url = &a->options->redis;
    bound_format(&a->options->listen, a->workers[0], public);
    bound_format(&a->options->admin, a->admin, admin);
    if (*url->host != '\0')
        snprintf(redis, sizeof(redis), "%s:%u", url->host, url->port);
    else
        LOG_WARN(
            "embedded",
            log_str("effect",
                    a->state ? "counts live only in --state-dir" : "counts live only in this process and end with it"),
            log_str("remedy", a->state ? "give --redis to share them" : "give --redis or --state-dir to keep them"));
    life_set(&a->sources, LIFE_READY);
    LOG_INFO("ready", log_str("listen", public), log_str("admin", admin), log_num("workers", a->workers_count),
             log_str("engine", worker_engine_name(a->workers[0])), log_num("max_conns", a->conns_max),
             log_str("redis", redis), log_str("instance", a->instance), log_str("version", TALLYD_VERSION));
    return 0;
}

#define BY_IMPORT 1u
#define BY_MOVE 2u
#define BY_ALL (BY_IMPORT | BY_MOVE)

static const struct step {
    const char *name;
    int (*start)(struct app *a, struct error *err);
    void (*stop)(struct app *a); /* NULL: nothing to undo */
    unsigned needed;             /* by whom else than a server */
} steps[] = {
    {"log", log_start, NULL, BY_ALL},
    {"privileges", privileges_start, NULL, BY_ALL},
    {"json", json_start, NULL, BY_ALL},
    {"guard", guard_start, NULL, BY_ALL},
    {"cpus", cpus_start, NULL, BY_IMPORT},
    {"engine", engine_choose, NULL, 0},
    {"descriptors", descriptors_start, NULL, 0},
    {"figures", figures_start, figures_stop, 0},
    {"buffers", buffers_start, NULL, 0},
    {"signals", signals_start, signals_stop, 0},
    {"flush_options", flush_options_start, NULL, BY_ALL},
    {"credentials", credentials_start, credentials_stop, BY_ALL},
    {"tally", tally_start, tally_stop, BY_IMPORT},
    {"files", sandbox_begin, NULL, 0},
    {"flusher", flusher_begin, flusher_end, BY_IMPORT},
    {"cut", cut_check, NULL, BY_IMPORT},
    {"api", api_begin, api_end, 0},
    {"policy", policy_start, policy_stop, 0},
    {"listeners", listeners_start, listeners_stop, 0},
    {"workers", workers_start, workers_stop, 0},
    {"admin", admin_start, admin_stop, 0},
    {"calls", sandbox_end, NULL, 0},
    {"ready", ready_start, NULL, 0},
};
#define STEPS (sizeof(steps) / sizeof(*steps))

static bool step_wanted(const struct app *a, size_t i)
{
    if (a->options->repartition)
        return steps[i].needed & BY_MOVE;
    return *a->options->import == '\0' || steps[i].needed & BY_IMPORT;
}

static void steps_stop(struct app *a, size_t started)
{
    while (started-- > 0) {
        if (!step_wanted(a, started))
            continue;
        LOG_DEBUG("stop", log_str("step", steps[started].name));
        if (steps[started].stop)
            steps[started].stop(a);
    }
}

int app_start(struct app *a, const struct options *options, struct error *err)
{
    memset(a, 0, sizeof(*a));
    a->options = options;
    for (size_t i = 0; i < STEPS; i++) {
        if (!step_wanted(a, i))
            continue;
        int result = steps[i].start(a, err);
        if (result != 0) {
            steps_stop(a, i);
            return result;
        }
        LOG_DEBUG("start", log_str("step", steps[i].name));
    }
    return 0;
}

void app_stop(struct app *a) { steps_stop(a, STEPS); }
