#include "sim/cluster.h"

#include "protocol/crc16.h"

/* A master that was replaced hears of it sooner than LOSS_VOUCHED_MS of nodes/store.c, which is what that time is for:
 * a majority that elects another one and a master that finds itself without a majority wait for the same time. */
#define HEARS_US_MAX 1900000
#define TRUSTS_US 2000000 /* CLUSTER_WRITABLE_DELAY of redis-server */
#define RETURNS_US_MAX 4000000
#define MOVE_US_MAX 100000
#define LAG_STEPS_MAX 8

#define NOTE(c, ...) NET_NOTE((c)->net, __VA_ARGS__)

static struct model *node_model(const struct cluster_node *n) { return n->cluster->net->nodes[n->number].model; }
static struct net_node *node_net(const struct cluster_node *n) { return &n->cluster->net->nodes[n->number]; }

/* ---- hearsay ---- */

static bool node_is_master(const struct cluster_node *n) { return n->master == n->number; }

static void node_hears(struct cluster_node *n)
{
    const struct cluster *c = n->cluster;

    for (uint32_t u = 0; u < c->units_count; u++) {
        n->view[u] = c->units[u].owner;
        if (n->view[u] != n->number || n->open[u] != c->units[u].moving_to)
            n->open[u] = CLUSTER_NOBODY;
    }
    n->hears_us = NET_NEVER;
    node_model(n)->replica = !node_is_master(n);
}

static bool node_runs(const struct cluster_node *n) { return n->returns_us == NET_NEVER; }

/* Something is otherwise than the nodes think. */
static void cluster_rumour(struct cluster *c)
{
    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++) {
        if (n->hears_us == NET_NEVER)
            n->hears_us = *c->now_us + chance_below(c->chance, HEARS_US_MAX);
    }
}

static void node_die(struct cluster_node *n)
{
    node_net(n)->down = true;
    net_kill(n->cluster->net, node_net(n));
    n->returns_us = *n->cluster->now_us + chance_octaves(n->cluster->chance, 1000, RETURNS_US_MAX);
    n->trusts_us = NET_NEVER;
}

/* With the view that it had; but it does not serve before it had time to hear. */
static void node_return(struct cluster_node *n)
{
    NOTE(n->cluster, "node %u is back", n->number);
    node_net(n)->down = false;
    n->returns_us = NET_NEVER;
    n->trusts_us = *n->cluster->now_us + TRUSTS_US;
    node_model(n)->cluster.down = true;
    if (n->hears_us != NET_NEVER && n->hears_us < n->trusts_us)
        n->hears_us = *n->cluster->now_us + chance_below(n->cluster->chance, HEARS_US_MAX);
}

static void node_trust(struct cluster_node *n)
{
    n->trusts_us = NET_NEVER;
    node_model(n)->cluster.down = false;
}

/* ---- who may do what ---- */

static bool node_has_open_slots(const struct cluster_node *n)
{
    const struct cluster *c = n->cluster;

    for (uint32_t u = 0; u < c->units_count; u++) {
        if (c->units[u].moving_to != CLUSTER_NOBODY &&
            (c->units[u].owner == n->number || c->units[u].moving_to == n->number))
            return true;
    }
    return false;
}

static struct cluster_node *cluster_any_master(struct cluster *c)
{
    struct cluster_node *any = NULL;
    uint32_t seen = 0;

    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++) {
        if (node_is_master(n) && chance_one_in(c->chance, ++seen))
            any = n;
    }
    return any;
}

static struct cluster_node *cluster_replica_of(struct cluster *c, const struct cluster_node *master)
{
    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++) {
        if (n->master == master->number && n != master && node_runs(n))
            return n;
    }
    return NULL;
}

static uint32_t units_of(const struct cluster *c, const struct cluster_node *n)
{
    uint32_t units = 0;

    for (uint32_t u = 0; u < c->units_count; u++)
        units |= (uint32_t)(c->units[u].owner == n->number) << u;
    return units;
}

/* ---- migration ---- */

static uint32_t cluster_moving_unit(const struct cluster *c)
{
    uint32_t unit = 0;

    while (unit < c->units_count && c->units[unit].moving_to == CLUSTER_NOBODY)
        unit++;
    return unit;
}

void cluster_migrate(struct cluster *c)
{
    struct cluster_unit *unit = &c->units[chance_below(c->chance, c->units_count)];
    struct cluster_node *from = &c->nodes[unit->owner], *to = cluster_any_master(c);

    /* One at a time, and only between nodes that are up and agree. */
    if (to == from || cluster_moving_unit(c) < c->units_count || !node_runs(from) || !node_runs(to) ||
        from->hears_us != NET_NEVER || to->hears_us != NET_NEVER)
        return;
    unit->moving_to = to->number;
    from->open[unit - c->units] = to->number;
    c->move_us = *c->now_us + chance_below(c->chance, MOVE_US_MAX);
    NOTE(c, "slot %u begins to move from node %u to %u", unit->slot, from->number, to->number);
}

static void cluster_move(struct cluster *c)
{
    struct cluster_unit *unit = &c->units[cluster_moving_unit(c)];
    struct cluster_node *from = &c->nodes[unit->owner], *to = &c->nodes[unit->moving_to];

    c->move_us = *c->now_us + chance_octaves(c->chance, 100, MOVE_US_MAX);
    if (!node_runs(from) || !node_runs(to))
        return;
    if (model_migrate(node_model(from), node_model(to), unit->slot))
        return;
    NOTE(c, "slot %u has moved to node %u", unit->slot, to->number);
    c->moves++;
    unit->owner = to->number;
    unit->moving_to = CLUSTER_NOBODY;
    c->move_us = NET_NEVER;
    cluster_rumour(c);
}

/* ---- takeover ---- */

static void node_promote(struct cluster_node *r, struct cluster_node *old, uint64_t lag)
{
    struct cluster *c = r->cluster;
    uint32_t units = units_of(c, old);

    model_copy(node_model(r), node_model(old));
    uint64_t forgot = model_roll_back(node_model(r), lag);
    NOTE(c, "node %u takes the place of node %u, without its last %u writes", r->number, old->number, (unsigned)forgot);
    for (uint32_t u = 0; u < c->units_count; u++) {
        if (c->units[u].owner == old->number)
            c->units[u].owner = r->number;
    }
    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++)
        n->master = n->master == old->number ? r->number : n->master;
    node_hears(r);
    if (lag)
        c->forgot |= units;
}

void cluster_take_over(struct cluster *c, enum cluster_takeover how)
{
    struct cluster_node *old = cluster_any_master(c), *r = cluster_replica_of(c, old);

    if (!r || node_has_open_slots(old) || (how != TAKEOVER_OF_DEAD && !node_runs(old)))
        return;
    if (how == TAKEOVER_OF_DEAD && node_runs(old))
        node_die(old);
    c->takeovers++;
    node_promote(r, old, how == TAKEOVER_ORDERED ? 0 : chance_below(c->chance, LAG_STEPS_MAX));
    cluster_rumour(c);
    node_model(old)->deposed = true;
    if (how == TAKEOVER_ORDERED)
        node_hears(old);
    else if (how == TAKEOVER_BY_FORCE) /* what it acknowledges from now on is forgotten */
        c->forgot |= units_of(c, r);
}

/* ---- other troubles ---- */

void cluster_kill(struct cluster *c, bool forgets)
{
    struct cluster_node *n = forgets ? cluster_any_master(c) : &c->nodes[chance_below(c->chance, c->nodes_count)];

    if (!node_runs(n) || (forgets && node_has_open_slots(n)))
        return;
    node_die(n);
    if (!forgets)
        return;
    c->forgot |= units_of(c, n);
    uint64_t lost = model_roll_back(node_model(n), 1 + chance_below(c->chance, LAG_STEPS_MAX));
    NOTE(c, "node %u loses its last %u writes", n->number, (unsigned)lost); /* nothing may happen in a note */
}

void cluster_empty(struct cluster *c)
{
    struct cluster_node *n = cluster_any_master(c);

    if (node_has_open_slots(n)) /* a ledger and its keys might part */
        return;
    NOTE(c, "node %u is emptied", n->number);
    c->forgot |= units_of(c, n);
    c->emptied |= units_of(c, n);
    model_flushall(node_model(n));
}

void cluster_confuse(struct cluster *c)
{
    struct cluster_node *n = &c->nodes[chance_below(c->chance, c->nodes_count)];

    if (units_of(c, n) || node_model(n)->deposed || !node_runs(n))
        return; /* it serves, and what it serves is what counts */
    n->hears_us = *c->now_us + chance_octaves(c->chance, 100000, 10000000);
    if (chance_one_in(c->chance, 2))
        memset(n->view, CLUSTER_NOBODY, sizeof(n->view));
    NOTE(c, "node %u does not know who owns what", n->number);
}

void cluster_heal(struct cluster *c)
{
    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++) {
        n->returns_us = NET_NEVER;
        node_net(n)->down = false;
        node_trust(n);
    }
    while (cluster_moving_unit(c) < c->units_count)
        cluster_move(c);
    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++)
        node_hears(n);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t cluster_next_us(const struct cluster *c)
{
    uint64_t next = c->move_us;

    for (const struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++)
        next = earlier(next, earlier(n->returns_us, node_runs(n) ? earlier(n->hears_us, n->trusts_us) : NET_NEVER));
    return next;
}

void cluster_step(struct cluster *c)
{
    if (c->move_us <= *c->now_us)
        cluster_move(c);
    for (struct cluster_node *n = c->nodes; n < c->nodes + c->nodes_count; n++) {
        if (n->returns_us <= *c->now_us)
            node_return(n);
        if (n->hears_us <= *c->now_us && node_runs(n))
            node_hears(n);
        if (n->trusts_us <= *c->now_us)
            node_trust(n);
    }
}

/* ---- life ---- */

uint32_t cluster_resolve(const struct cluster *c, const char *host)
{
    if (strncmp(host, "10.0.0.", 7) == 0)
        return (uint32_t)(host[7] - '0');
    return c->nodes_count ? (uint32_t)chance_below(c->chance, c->nodes_count) : c->leads;
}

struct model *cluster_model(const struct cluster *c, uint32_t unit, struct slice key)
{
    const struct net_node *nodes = c->net->nodes;

    if (c->units_count == 0)
        return nodes[c->leads].model;
    struct model *m = nodes[c->units[unit].owner].model;
    uint8_t to = c->units[unit].moving_to;
    return to == CLUSTER_NOBODY || model_has(m, key) ? m : nodes[to].model;
}

static void cluster_begin_units(struct cluster *c, const struct keyspace *space, uint32_t masters)
{
    char meta[KEYSPACE_PREFIX_BYTES_MAX + 8];

    c->units_count = space->partitions + 1;
    for (uint32_t u = 0; u < c->units_count; u++) {
        uint16_t slot = u < space->partitions ? keyspace_slot(space, u) : key_slot(keyspace_meta_key(space, meta));
        c->units[u] = (struct cluster_unit){slot, (uint8_t)(slot * masters / SLOTS), CLUSTER_NOBODY};
    }
}

void cluster_begin(struct cluster *c, struct net *net, const struct keyspace *space)
{
    uint32_t masters;

    *c = (struct cluster){.net = net, .chance = net->chance, .now_us = net->now_us, .move_us = NET_NEVER};
    if (!space)
        return;
    c->nodes_count = 2 + (uint32_t)chance_below(c->chance, NET_NODES_MAX - 1);
    masters = (c->nodes_count + 1) / 2;
    cluster_begin_units(c, space, masters);
    for (uint32_t i = 0; i < c->nodes_count; i++) {
        struct cluster_node *n = &c->nodes[i];
        *n = (struct cluster_node){.cluster = c,
                                   .number = (uint8_t)i,
                                   .master = (uint8_t)(i % masters),
                                   .returns_us = NET_NEVER,
                                   .trusts_us = NET_NEVER};
        memset(n->open, CLUSTER_NOBODY, sizeof(n->open));
        node_hears(n);
        node_model(n)->cluster = cluster_words(n);
    }
}
