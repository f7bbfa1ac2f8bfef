#pragma once
/* The public HTTP API (DESIGN 5): routes and what answers them. One handler a worker.
 *
 * Thread: created and destroyed by main; each handler runs on its worker; api_stats() from any thread. */

#include <stdint.h>

#include "api/client.h"
#include "base/error.h"
#include "flush/mailbox.h"
#include "net/worker.h"
#include "tally/tally.h"

struct api;
struct api_stats;  /* api/stats.h */
struct policy;     /* api/policy.h */
struct namespaces; /* api/newcomer.h */

struct api_config {
    struct tally *tally;
    struct mailbox *mailbox;
    bool embedded;                       /* no store but ourselves: what is not counted here is nowhere */
    uint32_t rate_limit, rate_burst;     /* hits of one client; a limit of 0: any number */
    uint32_t keys_max_ns;                /* new keys of one namespace; 0: as many as there is room for */
    uint32_t reads, reads_client;        /* names a second that the store is asked for; likewise */
    uint32_t new_keys, new_keys_client;  /* a second: at each worker, and of one client there; 0: any number */
    const struct namespaces *namespaces; /* borrowed; those that exist; NULL: any does */
    bool proxy_protocol;                 /* connections of these proxies begin with its header */
    struct proxies proxies;              /* believed what they say of a client's address */
    uint32_t streams_max;                /* of one worker */
    uint32_t flush_interval_ms;          /* totals older than two of these, and two seconds, are asked for again */
};

int api_create(struct api **out, const struct api_config *config, struct error *err); /* 0 or -ENOMEM */
void api_destroy(struct api *a);
struct handler api_handler(struct api *a, uint32_t worker);
/* Of the admin port: routes that show names, to whoever asks. It is bound as the worker behind the last. */
struct handler api_admin_handler(struct api *a);
/* Which worker runs the handler: before it starts. */
void api_bind(struct api *a, uint32_t worker, struct worker *w);
/* From now on this policy (NULL: none); main only, who keeps the one before until api_published() says that no worker
 * looks at it any more. Workers must be woken (worker_wake()) to take it; before they start they need not. */
void api_publish(struct api *a, const struct policy *policy);
bool api_published(const struct api *a);
const struct api_stats *api_stats(const struct api *a, uint32_t worker);
