#include "nodes/node.h"

#include <errno.h>
#include <stdlib.h>

#include "nodes/outage.h"
#include "nodes/refusals.h"
#include "sync/atomic.h"

struct node {
    struct node_config config;
    struct link *link;       /* owned */
    struct session *session; /* owned */
    struct outage outage;
    struct refused refused;
};

/* ---- the link's news ---- */

static void node_link_ready(void *ctx)
{
    struct node *n = ctx;

    ENV_LOG(n->config.accounts->env, outage_over(&n->outage), "redis_connected", log_str("host", link_host(n->link)),
            log_num("port", n->config.address.port));
    refusals_end(n->config.accounts->refusals, &n->refused);
    session_link_ready(n->session);
}

static void node_link_down(void *ctx)
{
    struct node *n = ctx;

    stat_add(&n->config.accounts->stats->link_errors, link_ended_idle(n->link) ? 0 : 1);
    session_link_down(n->session);
    outage_lost(&n->outage, n->config.accounts->env, &n->config.address, n->link);
}

static void node_link_refused(void *ctx, const struct redis_refusal *what)
{
    struct node *n = ctx;

    accounts_count_error(n->config.accounts, what->class);
    refusals_raise(n->config.accounts->refusals, &n->refused, what, link_host(n->link), n->config.address.port);
}

static void node_link_evicts(void *ctx, struct slice policy)
{
    struct node *n = ctx;

    ENV_LOG(n->config.accounts->env, LOG_LEVEL_WARN, "redis_evicts",
            log_bytes("maxmemory_policy", policy.at, policy.bytes),
            log_str("do", "set maxmemory-policy noeviction: an evicted counter is lost"));
}

/* ---- ticking ---- */

void node_tick(struct node *n, uint64_t now_ms)
{
    link_tick(n->link, now_ms);
    session_tick(n->session, now_ms);
    link_flush(n->link);
    session_prepare(n->session);
}

void node_abandon(struct node *n) { link_fail(n->link, -EREMOTE, "its slots have moved to other nodes"); }
void node_reconnect(struct node *n) { link_fail(n->link, -ECANCELED, "asked to connect anew"); }
void node_learn(struct node *n, const struct node_address *a) { n->config.address = *a; }
bool node_is_lost(const struct node *n) { return n->outage.reported; }
bool node_is_ready(const struct node *n) { return link_state(n->link) == LINK_READY; }
struct session *node_session(struct node *n) { return n->session; }
const struct node_address *node_address(const struct node *n) { return &n->config.address; }
const struct link *node_link(const struct node *n) { return n->link; }

uint64_t node_wake_ms(const struct node *n)
{
    uint64_t link = link_wake_ms(n->link), session = session_wake_ms(n->session);

    return link < session ? link : session;
}

/* ---- life ---- */

static int node_create_link(struct node *n)
{
    const struct link_user user = {
        .ctx = n,
        .ready = node_link_ready,
        .down = node_link_down,
        .refused = node_link_refused,
        .evicts = node_link_evicts,
    };
    struct link_config link = *n->config.link;

    link.host = n->config.address.host;
    link.other_host = n->config.address.other;
    link.port = n->config.address.port;
    return link_create(&n->link, &link, &user);
}

static int node_create_session(struct node *n)
{
    const struct session_config session = {
        .accounts = n->config.accounts,
        .reads = n->config.reads,
        .link = n->link,
        .members_max = n->config.members_max,
        .remap = n->config.remap,
        .remap_ctx = n->config.remap_ctx,
    };

    return session_create(&n->session, &session);
}

int node_create(struct node **out, const struct node_config *config)
{
    struct node *n = calloc(1, sizeof(*n));

    if (!n)
        return -ENOMEM;
    n->config = *config;
    if (node_create_link(n) || node_create_session(n)) {
        node_destroy(n);
        return -ENOMEM;
    }
    *out = n;
    return 0;
}

void node_destroy(struct node *n)
{
    if (!n)
        return;
    refusals_end(n->config.accounts->refusals, &n->refused);
    session_destroy(n->session);
    link_destroy(n->link);
    free(n);
}
