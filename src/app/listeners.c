/* The threads that serve: the public workers and the admin's, bound first and started later. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/admin.h"
#include "api/api.h"
#include "app/app.h"
#include "app/engine_choice.h"
#include "net/listener.h"

#define LINGER_MS 2000
#define ADMIN_CONNS_MAX 64
#define CLIENT_SHARE 4 /* what one client may have of --max-conns: a quarter */

static uint32_t to_ms(uint64_t us) { return (uint32_t)((us + US_PER_MS - 1) / US_PER_MS); }

static struct http_limits limits_of(const struct options *o)
{
    struct http_limits limits = http_limits_default;
    limits.head_bytes_max = (uint32_t)o->max_head_bytes;
    limits.body_bytes_max = (uint32_t)o->max_body_bytes;
    if (limits.line_bytes_max > limits.head_bytes_max)
        limits.line_bytes_max = limits.head_bytes_max;
    return limits;
}

/* What the public workers and the admin's have in common. */
static struct worker_config worker_config_of(const struct app *a)
{
    const struct options *o = a->options;
    return (struct worker_config){
        .cpu = -1,
        .engine = a->engine,
        .timeouts = {.head_ms = to_ms(o->head_timeout_us),
                     .body_ms = to_ms(o->body_timeout_us),
                     .send_ms = to_ms(o->send_timeout_us),
                     .idle_ms = to_ms(o->idle_timeout_us),
                     .linger_ms = LINGER_MS},
        .limits = limits_of(o),
    };
}

/* Pinned only when each has a CPU of its own and nothing else limits them: under a quota, or beside another
 * tallyd, pinned threads would queue for one CPU while others idle. */
static int worker_cpu(const struct app *a, uint32_t i)
{
    bool whole = a->workers_count == a->cpus.allowed && a->cpus.usable == a->cpus.allowed;
    return whole && a->workers_count > 1 ? a->cpus.ids[i] : -1;
}

/* Without the option a client may have what it wants while half of the places are free: a load test comes from one. */
static void share_of_client(const struct app *a, struct worker_config *config)
{
    uint64_t asked = a->options->max_conns_client;

    config->client_conns_max = asked ? (uint32_t)asked : (a->conns_max + CLIENT_SHARE - 1) / CLIENT_SHARE;
    config->client_conns_from = asked ? 0 : a->conns_max / 2 + 1;
}

static int public_create(struct app *a, uint32_t i, const struct sockaddr_storage *address, struct error *err)
{
    struct worker_config config = worker_config_of(a);
    snprintf(a->names[i], sizeof(a->names[i]), "worker-%u", i);
    config.name = a->names[i];
    config.cpu = worker_cpu(a, i);
    config.address = *address;
    config.reuse_port = true;
    config.conns_max = a->conns_max;
    config.peers = options_want_peers(a->options) || a->engine == ENGINE_EPOLL;
    share_of_client(a, &config);
    config.defer_accept = a->options->defer_accept == OPTION_DEFER_ACCEPT_ON;
    config.batch_wait_us = (uint32_t)a->options->batch_wait_us;
    config.budget = &a->buffers;
    config.handler = api_handler(a->api, i);
    int result = worker_create(&a->workers[i], &config, err);
    if (result == 0)
        api_bind(a->api, i, a->workers[i]);
    return result;
}

static int publics_create(struct app *a, struct error *err)
{
    struct sockaddr_storage address = a->options->listen.socket;
    /* SO_REUSEPORT would let us share the port with another tallyd of the same user, unnoticed. */
    int probe = listener_open(&address, false, err);
    if (probe < 0)
        return probe;
    close(probe);
    int result = 0;
    for (uint32_t i = 0; i < a->workers_count && result == 0; i++) {
        result = public_create(a, i, &address, err);
        if (result == 0) /* port 0: the others share the one that the first got */
            address_set_port(&address, worker_port(a->workers[0]));
    }
    return result;
}

static uint32_t admin_conns(const struct app *a)
{
    return a->conns_max < ADMIN_CONNS_MAX ? a->conns_max : ADMIN_CONNS_MAX;
}

static int admin_create(struct app *a, struct error *err)
{
    struct worker_config config = worker_config_of(a);
    config.name = "admin";
    config.address = a->options->admin.socket;
    config.conns_max = admin_conns(a);
    config.handler = admin_handler(&a->sources);
    int result = worker_create(&a->admin, &config, err);
    if (result == 0)
        api_bind(a->api, a->workers_count, a->admin);
    return result;
}

void listeners_stop(struct app *a)
{
    for (uint32_t i = 0; a->workers && i < a->workers_count; i++) {
        if (a->workers[i])
            worker_destroy(a->workers[i]);
    }
    if (a->admin)
        worker_destroy(a->admin);
    free(a->workers);
    free(a->names);
}

/* All are bound before the first serves: what can be wrong with an address is known before a hit is counted. */
int listeners_start(struct app *a, struct error *err)
{
    a->workers = calloc(a->workers_count, sizeof(*a->workers));
    a->names = calloc(a->workers_count, sizeof(*a->names));
    int result = a->workers && a->names ? 0 : error_set(err, -ENOMEM, "no memory for %u workers", a->workers_count);
    if (result == 0)
        result = publics_create(a, err);
    if (result == 0)
        result = admin_create(a, err);
    if (result != 0)
        listeners_stop(a);
    return result;
}

static struct worker *thread_at(const struct app *a, uint32_t i)
{
    return i < a->workers_count ? a->workers[i] : a->admin;
}

void workers_stop(struct app *a)
{
    for (uint32_t i = 0; i <= a->workers_count; i++)
        worker_stop(thread_at(a, i));
}

/* Every thread opens its engine before one of them serves. */
static int engines_open(struct app *a, struct error *err)
{
    int result = 0;
    for (uint32_t i = 0; i <= a->workers_count && result == 0; i++)
        result = worker_start(thread_at(a, i), err);
    return result;
}

static void engines_change(struct app *a)
{
    for (uint32_t i = 0; i <= a->workers_count; i++)
        worker_refit(thread_at(a, i), a->engine, a->small_rings, i < a->workers_count ? a->conns_max : admin_conns(a));
}

int workers_start(struct app *a, struct error *err)
{
    int result;
    while ((result = engines_open(a, err)) != 0) {
        workers_stop(a);
        result = engine_give_way(a, result, err);
        if (result != 0)
            return result;
        engines_change(a);
    }
    engine_settled(a);
    for (uint32_t i = 0; i < a->workers_count; i++)
        worker_serve(a->workers[i]);
    return 0;
}
