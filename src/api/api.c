/* Routes, and what a worker's handler is made of. */

#include "api/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/board.h"
#include "api/hit_answer.h"
#include "api/pages.h"
#include "api/routes.h"
#include "api/streams.h"
#include "api/total.h"
#include "base/clock.h"
#include "http/response.h"
#include "policy/rate.h"
#include "request/ask.h"
#include "request/newcomer.h"
#include "sync/atomic.h"

/* What follows the prefix; at == NULL: it does not begin with it. */
static struct slice path_behind(struct slice path, struct slice prefix)
{
    bool begins = path.bytes >= prefix.bytes && memcmp(path.at, prefix.at, prefix.bytes) == 0;
    return begins ? (struct slice){path.at + prefix.bytes, path.bytes - prefix.bytes} : (struct slice){0};
}

static bool counters_are_writable(const struct api_worker *aw) { return aw->policy && aw->policy->tokens; }

/* "ns/" is a namespace alone. */
static bool path_has_key(struct slice path)
{
    const char *slash = memchr(path.at, '/', path.bytes);
    return slash && slash + 1 < path.at + path.bytes;
}

static enum handler_result route_namespace(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                           struct slice path)
{
    bool asked;
    const char *wrong = total_asked(r->query, &asked);
    if (wrong) {
        answer_error(aw, r, reply, 400, wrong, "?total=1 stands once and without keys", NULL);
        return HANDLED;
    }
    return asked ? route_total(aw, r, reply, path) : route_counters(aw, r, reply, path);
}

/* "ns/key", or "ns" with the key or, for readers, many of them in the query. */
static enum handler_result route_counters_of(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                             struct slice path)
{
    bool writes = r->method == HTTP_PUT || r->method == HTTP_DELETE;
    if (writes && counters_are_writable(aw))
        return route_counter_write(aw, r, reply, path);
    if (r->method == HTTP_GET || r->method == HTTP_HEAD)
        return path_has_key(path) ? route_counter(aw, r, reply, path) : route_namespace(aw, r, reply, path);
    if (writes)
        answer_not_allowed(aw, r, reply, "GET, HEAD, OPTIONS",
                           "who may write counters stands in --token-file, and there is none");
    else
        answer_method(aw, r, reply,
                      counters_are_writable(aw) ? "GET, HEAD, PUT, DELETE, OPTIONS" : "GET, HEAD, OPTIONS");
    return HANDLED;
}

/* Not inlined: what is on its stack would cost every hit a guard. */
static __attribute__((noinline)) enum handler_result route_other(struct api_worker *aw, const struct http_request *r,
                                                                 struct reply *reply)
{
    if (slice_equals(r->path, SLICE("/v1/hits")))
        return route_hits(aw, r, reply);
    struct slice rest = path_behind(r->path, SLICE("/v1/counters/"));
    if (rest.at)
        return route_counters_of(aw, r, reply, rest);
    rest = path_behind(r->path, SLICE("/v1/stream/"));
    if (rest.at)
        return route_stream(aw, r, reply, rest);
    rest = path_behind(r->path, SLICE("/v1/keys/"));
    if (rest.at)
        return route_keys(aw, r, reply, rest);
    rest = path_behind(r->path, SLICE("/v1/export/"));
    if (rest.at)
        return route_export(aw, r, reply, rest);
    rest = path_behind(r->path, SLICE("/v1/top/"));
    if (rest.at)
        return route_top(aw, r, reply, rest);
    if (slice_equals(r->path, SLICE("/v1/namespaces")))
        return route_namespaces(aw, r, reply);
    if (route_page(aw, r, reply))
        return HANDLED;
    if (slice_equals(r->path, SLICE("*"))) {
        answer_method(aw, r, reply, "GET, HEAD, POST, OPTIONS");
        return HANDLED;
    }
    if (r->method == HTTP_UNKNOWN || r->method == HTTP_CONNECT) /* CONNECT has no path, and this is no proxy */
        answer_error(aw, r, reply, 501, "unknown_method", "this server does not know that method", NULL);
    else
        answer_error(aw, r, reply, 404, "no_such_path", "/openapi.json describes what there is", NULL);
    return HANDLED;
}

static enum handler_result on_request(void *ctx, const struct http_request *r, struct reply *reply)
{
    struct slice hit = path_behind(r->path, SLICE("/v1/hit/"));
    return hit.at ? route_hit(ctx, r, reply, hit) : route_other(ctx, r, reply);
}

static enum handler_result on_resume(void *ctx, const struct http_request *r, struct reply *reply)
{
    return ask_resume(ctx, r, reply);
}

/* Reads alone: this worker has no counters of its own, and a page of the web must not reach the others. */
static enum handler_result on_admin_request(void *ctx, const struct http_request *r, struct reply *reply)
{
    struct slice keys = path_behind(r->path, SLICE("/v1/keys/")), all = path_behind(r->path, SLICE("/v1/export/"));
    struct slice top = path_behind(r->path, SLICE("/v1/top/"));
    if (r->method != HTTP_GET && r->method != HTTP_HEAD)
        answer_not_allowed(ctx, r, reply, "GET, HEAD", "the admin port takes GET and HEAD");
    else if (keys.at)
        return route_keys(ctx, r, reply, keys);
    else if (all.at)
        return route_export(ctx, r, reply, all);
    else if (top.at)
        return route_top(ctx, r, reply, top);
    else if (slice_equals(r->path, SLICE("/v1/namespaces")))
        return route_namespaces(ctx, r, reply);
    else
        answer_error(ctx, r, reply, 404, "no_such_path",
                     "of /v1 the admin port has /v1/namespaces, and /v1/keys, /v1/top and /v1/export of a namespace",
                     NULL);
    return HANDLED;
}

static bool on_wants_body(void *ctx, const struct http_request *r)
{
    const struct api_worker *aw = ctx;
    return (r->method == HTTP_POST && slice_equals(r->path, SLICE("/v1/hits"))) ||
           (r->method == HTTP_PUT && counters_are_writable(aw) && path_behind(r->path, SLICE("/v1/counters/")).at);
}

static void on_refused(void *ctx, int status, const char *reason)
{
    struct api_worker *aw = ctx;
    answer_count(aw, status);
    for (size_t i = 0; i < API_BAD_REASONS_MAX; i++) {
        struct api_bad_reason *slot = &aw->stats.bad_requests[i];
        if (!slot->token)
            store_release_ptr((void **)(uintptr_t)&slot->token,
                              (void *)(uintptr_t)reason); /* partner: the reader of metrics */
        if (slot->token == reason || strcmp(slot->token, reason) == 0) {
            stat_add(&slot->count, 1);
            return;
        }
    }
}

static void on_date(void *ctx, const char *date)
{
    struct api_worker *aw = ctx;
    http_template_date(aw->counted, date);
    http_template_date(aw->pixel, date);
}

static void take_policy(struct api_worker *aw)
{
    /* Partner of both: api_publish() and api_published(). What the worker did with the old one happened before. */
    aw->policy = load_acquire_ptr((void *const *)(uintptr_t)&aw->api->policy);
    store_release_ptr((void **)(uintptr_t)&aw->policy_taken, (void *)(uintptr_t)aw->policy);
}

static void on_woken(void *ctx)
{
    const struct api_worker *aw = ctx;
    take_policy(ctx);
    tally_answer(aw->api->config.tally, aw->index);
    ask_answers(ctx);
}

static void on_admin_woken(void *ctx)
{
    const struct api_worker *aw = ctx;
    tally_answer(aw->api->config.tally, aw->index); /* it reads counters, too */
    ask_answers(ctx);
    if (board_take_wish(aw->api->board)) {
        ranking_make(aw->api->config.ranking, aw->api->config.tally, clock_mono_ms());
        board_publish(aw->api->board, aw->api->config.ranking);
    }
}

static void on_forget(void *ctx, void *waiting) { (void)ctx, ask_forget(waiting); }

static void on_stream_ended(void *ctx, void *stream) { stream_ended(ctx, stream); }
static void on_tick(void *ctx, uint64_t now_ms) { streams_tick(ctx, now_ms); }
static void on_draining(void *ctx) { streams_drain(ctx); }

static bool on_sends_proxy_header(void *ctx, const struct ip *peer)
{
    const struct api_config *config = &((struct api_worker *)ctx)->api->config;
    return config->proxy_protocol && proxies_have(&config->proxies, peer);
}

static bool on_is_proxy(void *ctx, const struct ip *peer)
{
    return proxies_have(&((struct api_worker *)ctx)->api->config.proxies, peer);
}

struct handler api_handler(struct api *a, uint32_t worker)
{
    return (struct handler){
        .wants_body = on_wants_body,
        .handle = on_request,
        .resume = on_resume,
        .forget = on_forget,
        .stream_ended = on_stream_ended,
        .tick = on_tick,
        .draining = on_draining,
        .refused = on_refused,
        .refusal_headers = SLICE(ERROR_HEADERS),
        .date_changed = on_date,
        .woken = on_woken,
        .sends_proxy_header = on_sends_proxy_header,
        .is_proxy = on_is_proxy,
        .ctx = &a->per_worker[worker],
    };
}

struct handler api_admin_handler(struct api *a)
{
    struct api_worker *aw = &a->per_worker[a->workers];
    aw->trusted = true;
    return (struct handler){
        .handle = on_admin_request,
        .resume = on_resume,
        .forget = on_forget,
        .woken = on_admin_woken,
        .ctx = aw,
    };
}

void api_bind(struct api *a, uint32_t worker, struct worker *w)
{
    a->per_worker[worker].worker = w;
    if (worker < a->workers)
        take_policy(&a->per_worker[worker]);
}

void api_publish(struct api *a, const struct policy *policy)
{
    store_release_ptr((void **)(uintptr_t)&a->policy, (void *)(uintptr_t)policy); /* partner: take_policy() */
}

bool api_published(const struct api *a)
{
    for (uint32_t i = 0; i < a->workers; i++)
        if (load_acquire_ptr((void *const *)(uintptr_t)&a->per_worker[i].policy_taken) != a->policy)
            return false;
    return true;
}

const struct api_stats *api_stats(const struct api *a, uint32_t worker) { return &a->per_worker[worker].stats; }

int api_create(struct api **out, const struct api_config *config, struct error *err)
{
    uint32_t workers = tally_workers(config->tally);
    struct http_response counted = {.status = 204, .extra = SLICE(HIT_HEADERS "X-Hit-Status: counted\r\n")};
    struct http_response pixel = hit_answer_pixel();
    struct api *a = calloc(1, sizeof(*a) + (workers + 1) * sizeof(a->per_worker[0]));
    if (!a)
        return error_set(err, -ENOMEM, "no memory for the api");
    a->config = *config;
    a->workers = workers;
    for (uint32_t i = 0; i <= workers; i++) { /* all of them, as api_destroy() asks each for its answers */
        a->per_worker[i].api = a;
        a->per_worker[i].index = i;
    }
    if (board_create(&a->board) < 0) {
        api_destroy(a);
        return error_set(err, -ENOMEM, "no memory for the api");
    }
    for (uint32_t i = 0; i <= workers; i++) {
        if (http_template_create(&a->per_worker[i].counted, &counted) < 0 ||
            http_template_create(&a->per_worker[i].pixel, &pixel) < 0 || rate_create(&a->per_worker[i].newcomers) < 0 ||
            rate_create(&a->per_worker[i].readers) < 0 || streams_create(&a->per_worker[i].streams) < 0 ||
            (config->rate_limit && rate_create(&a->per_worker[i].rate) < 0)) {
            api_destroy(a);
            return error_set(err, -ENOMEM, "no memory for the api");
        }
    }
    *out = a;
    return 0;
}

void api_destroy(struct api *a)
{
    for (uint32_t i = 0; i <= a->workers; i++) {
        if (a->config.mailbox) /* what came back after the worker's end: their clients have left */
            ask_answers(&a->per_worker[i]);
        http_template_destroy(a->per_worker[i].counted);
        http_template_destroy(a->per_worker[i].pixel);
        rate_destroy(a->per_worker[i].rate);
        rate_destroy(a->per_worker[i].newcomers);
        rate_destroy(a->per_worker[i].readers);
        streams_destroy(a->per_worker[i].streams);
    }
    board_destroy(a->board);
    free(a);
}
