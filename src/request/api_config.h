#pragma once
/* What the public API is made with. app/ fills it, and each worker's handler reads it. */

#include <stdbool.h>
#include <stdint.h>

#include "policy/client.h"

struct mailbox;    /* flush/mailbox.h */
struct namespaces; /* request/newcomer.h */
struct ranking;    /* api/ranking.h */
struct tally;

struct api_config {
    struct tally *tally;
    struct mailbox *mailbox;
    struct ranking *ranking; /* of the admin's worker, which makes it when somebody on the public port wants it */
    bool embedded;           /* There is no store but ourselves, so what is not counted here is nowhere */
    uint32_t rate_limit, rate_burst; /* hits of one client a second, and at once. A limit of 0 is none */
    uint32_t keys_max_ns;            /* new keys of one namespace. With 0 as many as there is room for */
    uint32_t reads, reads_client;    /* names a second that the store is asked for, and of one client. 0 is no limit */
    uint32_t new_keys, new_keys_client;  /* a second at each worker, and of one client there. 0 is no limit */
    const struct namespaces *namespaces; /* those that exist, borrowed. NULL when any does */
    const struct namespaces *tops;       /* those whose highest keys are kept, borrowed. NULL when there are none */
    bool proxy_protocol;                 /* connections of these proxies begin with its header */
    struct proxies proxies;              /* believed what they say of a client's address */
    uint32_t streams_max;                /* of one worker */
    uint32_t partitions;                 /* of the store, 1 without a cluster */
    uint32_t flush_interval_ms;          /* totals older than two of these, and two seconds, are asked for again */
};
