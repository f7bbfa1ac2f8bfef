#pragma once
/* The public HTTP API (DESIGN 5): routes and what answers them. Each worker has a handler.
 *
 * Thread: created and destroyed by main. Each handler runs on its worker. Any thread may call api_stats(). */

#include <stdint.h>

#include "api/client.h"
#include "base/error.h"
#include "net/handler.h"

struct api;
struct mailbox; /* flush/mailbox.h */
struct tally;
struct worker;
struct api_stats;  /* api/stats.h */
struct policy;     /* api/policy.h */
struct ranking;    /* api/ranking.h */
struct namespaces; /* api/newcomer.h */

struct api_config {
    struct tally *tally;
    struct mailbox *mailbox;
    struct ranking *ranking; /* of the admin's worker, which makes it when somebody on the public port wants it */
    bool embedded;           /* There is no store but ourselves, so what is not counted here is nowhere */
    uint32_t rate_limit, rate_burst; /* hits of one client a second, and at once. A limit of 0 is none */
    uint32_t keys_max_ns;            /* new keys of one namespace. 0: as many as there is room for */
    uint32_t reads, reads_client;    /* names a second that the store is asked for, and of one client. 0: any number */
    uint32_t new_keys, new_keys_client;  /* a second at each worker, and of one client there. 0: any number */
    const struct namespaces *namespaces; /* those that exist, borrowed. NULL when any does */
    bool proxy_protocol;                 /* connections of these proxies begin with its header */
    struct proxies proxies;              /* believed what they say of a client's address */
    uint32_t streams_max;                /* of one worker */
    uint32_t partitions;                 /* of the store, 1 without a cluster */
    uint32_t flush_interval_ms;          /* totals older than two of these, and two seconds, are asked for again */
};

int api_create(struct api **out, const struct api_config *config, struct error *err); /* 0 or -ENOMEM */
void api_destroy(struct api *a);
struct handler api_handler(struct api *a, uint32_t worker);
/* Returns the handler of the admin port, which shows names to whoever asks. It is bound as the worker behind the last.
 */
struct handler api_admin_handler(struct api *a);
/* Says which worker runs the handler. Before that worker starts. */
void api_bind(struct api *a, uint32_t worker, struct worker *w);
/* Makes this the policy from now on, or none with NULL. Only main, which keeps the one before until api_published()
 * says that no worker looks at it any more. Workers that run must be woken to take it (worker_wake()). */
void api_publish(struct api *a, const struct policy *policy);
bool api_published(const struct api *a);
const struct api_stats *api_stats(const struct api *a, uint32_t worker);
