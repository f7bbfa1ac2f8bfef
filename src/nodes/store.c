#include "nodes/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "nodes/advice.h"
#include "nodes/link_settings.h"
#include "nodes/node.h"
#include "nodes/topology.h"
#include "redis/access.h"
#include "sync/atomic.h"
#include "tally/state_file.h"

#define LOSS_VOUCHED_MS 2000 /* longer than it takes a master that was stopped to hear what happened meanwhile */
#define LOSS_ALONE_MS 20000  /* longer than cluster-node-timeout as it usually is, 15 s */
#define NODES_MAX (2 * PARTITIONS_MAX) /* where each partition is, and where it goes to */
#define REPLAY_PARTS_MAX (4u << 20)    /* of all partitions: 64 MiB */

/* Where a partition lives. */
struct placement {
    struct partition *partition;  /* owned */
    struct node *node;            /* NULL: nowhere yet */
    struct node_address assigned; /* by the map; host empty: not known yet */
};

struct store {
    struct store_config config;
    struct link_config link;       /* of all nodes, but the address */
    struct topology *topology;     /* owned; NULL: standalone */
    struct node *nodes[NODES_MAX]; /* owned */
    uint32_t nodes_count;
    bool changed;             /* the map or the nodes, since the placements were last looked over */
    uint64_t shown;           /* which of the nodes the node names show as connected, a bit each */
    bool shown_all;           /* and it shows the nodes that there are */
    bool complained;          /* of a cluster, in standalone mode */
    bool advised;             /* on the number of partitions */
    struct link_traffic gone; /* of links that are no more */
    uint32_t placements_count;
    struct placement placements[];
};

static const struct redis_url *store_url(const struct store *s) { return &s->config.options->redis->url; }

static struct node_address store_seed(const struct store *s)
{
    struct node_address seed = {.port = store_url(s)->port};

    snprintf(seed.host, sizeof(seed.host), "%s", store_url(s)->host);
    return seed;
}

/* ---- the topology's news ---- */

static void store_on_map(void *ctx, const struct reply *slots, const struct node_address *asked, uint64_t asked_ms)
{
    struct store *s = ctx;
    bool known = slots_know(slots, asked, asked); /* the seed may be any of them, under another name */

    for (uint32_t p = 0; p < s->placements_count; p++) {
        struct placement *place = &s->placements[p];
        bool found = slots_find(slots, keyspace_slot(s->config.space, p), asked, &place->assigned);
        if (found && known && place->node && node_address_equals(&place->assigned, node_address(place->node)) &&
            !node_address_equals(&place->assigned, asked))
            partition_vouch(place->partition, asked_ms);
    }
    advice_on_cut(s->config.accounts, s->placements_count, slots, &s->advised);
    s->changed = true;
}

static void store_on_differs(void *ctx, uint32_t partitions)
{
    struct store *s = ctx;
    struct flusher_stats *stats = s->config.accounts->stats;
    stat_add(&stats->alarms, 1);
    stat_add(&stats->alarms_partitions_differ, 1);
    store_relaxed_u64(&stats->partitions_found, partitions);
    /* Release: the partner is the acquire in flusher_await_cut(). */
    store_release_u32(&stats->cut, CUT_DIFFERS);
    ENV_LOG(s->config.accounts->env, LOG_LEVEL_ERROR, "partitions_differ", log_num("configured", s->placements_count),
            log_num("data_set", partitions),
            log_str("do", "nothing is stored: start with the data set's --partitions, or another --prefix"));
}

static bool store_known(void *ctx, uint32_t i, struct node_address *out)
{
    const struct store *s = ctx;

    if (i < s->nodes_count)
        *out = *node_address(s->nodes[i]);
    return i < s->nodes_count;
}

static void store_remap(void *ctx)
{
    struct store *s = ctx;

    if (s->topology) {
        topology_wish(s->topology);
        return;
    }
    if (s->complained)
        return;
    s->complained = true;
    ENV_LOG(s->config.accounts->env, LOG_LEVEL_ERROR, "redis_is_a_cluster", log_str("host", store_url(s)->host),
            log_num("port", store_url(s)->port), log_str("do", "start with --redis-mode cluster"));
}

/* ---- nodes ---- */

static struct node *store_get_node(struct store *s, const struct node_address *address)
{
    for (uint32_t i = 0; i < s->nodes_count; i++)
        if (node_address_equals(node_address(s->nodes[i]), address))
            return s->nodes[i];
    const struct node_config node = {
        .accounts = s->config.accounts,
        .reads = s->config.reads,
        .link = &s->link,
        .address = *address,
        .members_max = s->placements_count,
        .remap = store_remap,
        .remap_ctx = s,
    };
    if (s->nodes_count == NODES_MAX || node_create(&s->nodes[s->nodes_count], &node) < 0)
        return NULL;
    s->shown_all = false;
    return s->nodes[s->nodes_count++];
}

static void traffic_add(struct link_traffic *sum, const struct link_traffic *t)
{
    sum->bytes_out += t->bytes_out;
    sum->bytes_in += t->bytes_in;
    sum->commands += t->commands;
    sum->connects += t->connects ? t->connects - 1 : 0; /* here: those that came again */
}

static void store_drop_empty_nodes(struct store *s)
{
    for (uint32_t i = s->nodes_count; i-- > 0;) {
        struct node *n = s->nodes[i];
        if (session_members(node_session(n)))
            continue;
        traffic_add(&s->gone, link_traffic(node_link(n)));
        node_destroy(n);
        s->shown_all = false;
        s->nodes[i] = s->nodes[--s->nodes_count];
    }
}

/* ---- moving ---- */

static bool store_wants(const struct store *s, const struct node *n)
{
    for (uint32_t p = 0; p < s->placements_count; p++)
        if (node_address_equals(&s->placements[p].assigned, node_address(n)))
            return true;
    return false;
}

/* true: it is where the map says, or has nowhere to go. */
static bool placement_settle(struct store *s, struct placement *place)
{
    if (!place->assigned.host[0])
        return true;
    if (place->node && node_address_equals(&place->assigned, node_address(place->node))) {
        node_learn(place->node, &place->assigned);
        return true;
    }
    if (place->node && !session_try_leave(node_session(place->node), place->partition)) {
        /* Nobody stays behind, and perhaps nobody answers any more. */
        if (!store_wants(s, place->node))
            node_abandon(place->node);
        return false;
    }
    place->node = store_get_node(s, &place->assigned);
    if (place->node)
        session_join(node_session(place->node), place->partition);
    return place->node;
}

static void store_settle(struct store *s)
{
    bool all = true;

    if (s->topology && !topology_agrees(s->topology))
        return;
    if (s->topology)
        store_release_u32(&s->config.accounts->stats->cut, CUT_AGREES);
    for (uint32_t p = 0; p < s->placements_count; p++)
        all &= placement_settle(s, &s->placements[p]);
    store_drop_empty_nodes(s);
    s->changed = !all;
}

/* ---- what others see ---- */

static bool store_is_connected(const struct store *s)
{
    for (uint32_t p = 0; p < s->placements_count; p++)
        if (!s->placements[p].node || !node_is_ready(s->placements[p].node))
            return false;
    return true;
}

static void store_note_traffic(struct store *s)
{
    struct flusher_stats *stats = s->config.accounts->stats;
    struct link_traffic sum = s->gone;
    for (uint32_t i = 0; i < s->nodes_count; i++)
        traffic_add(&sum, link_traffic(node_link(s->nodes[i])));
    uint64_t again = sum.connects; /* the topology moves about, and that is no sign of trouble */
    if (s->topology)
        traffic_add(&sum, link_traffic(topology_link(s->topology)));
    store_relaxed_u64(&stats->commands, sum.commands);
    store_relaxed_u64(&stats->bytes_out, sum.bytes_out);
    store_relaxed_u64(&stats->bytes_in, sum.bytes_in);
    store_relaxed_u64(&stats->reconnects, again);
}

static void store_note_nodes(struct store *s)
{
    struct node_name nodes[NODE_NAMES_MAX] = {0};
    uint32_t count = s->nodes_count < NODE_NAMES_MAX ? s->nodes_count : NODE_NAMES_MAX;
    uint64_t ready = 0;

    for (uint32_t i = 0; i < count; i++)
        ready |= (uint64_t)node_is_ready(s->nodes[i]) << i;
    if (s->shown_all && ready == s->shown)
        return;
    s->shown_all = true;
    s->shown = ready;
    for (uint32_t i = 0; i < count; i++) {
        const struct node_address *a = node_address(s->nodes[i]);
        snprintf(nodes[i].name, sizeof(nodes[i].name), "%.*s:%u", (int)sizeof(nodes[i].name) - 8, a->host, a->port);
        nodes[i].connected = node_is_ready(s->nodes[i]);
    }
    node_names_write(&s->config.accounts->stats->node_names, nodes, count);
}

/* ---- ticking ---- */

void store_tick(struct store *s, uint64_t now_ms)
{
    if (s->topology)
        topology_tick(s->topology, now_ms);
    if (s->changed)
        store_settle(s);
    for (uint32_t i = 0; i < s->nodes_count; i++)
        node_tick(s->nodes[i], now_ms);
    bool connected = store_is_connected(s);
    store_relaxed_u8((uint8_t *)&s->config.accounts->stats->connected, connected);
    if (s->topology && !connected)
        topology_wish(s->topology);
    store_note_traffic(s);
    store_note_nodes(s);
}

void store_fail_reads(struct store *s)
{
    for (uint32_t p = 0; p < s->placements_count; p++) {
        const struct node *n = s->placements[p].node;
        if (read_queue_waits(s->config.reads, p) &&
            (n ? node_is_lost(n) : s->topology && topology_is_lost(s->topology)))
            read_queue_fail(s->config.reads, p);
    }
}

void store_reconnect(struct store *s)
{
    if (s->topology)
        topology_reconnect(s->topology);
    for (uint32_t i = 0; i < s->nodes_count; i++)
        node_reconnect(s->nodes[i]);
}

const struct node_address *store_home(void *ctx, uint32_t partition)
{
    const struct store *s = ctx;

    return s->placements[partition].node ? node_address(s->placements[partition].node) : NULL;
}

void store_cover(struct store *s)
{
    for (uint32_t p = 0; p < s->placements_count; p++)
        partition_cover(s->placements[p].partition);
}

bool store_try_part(struct store *s)
{
    bool parted = true;

    for (uint32_t i = 0; i < s->nodes_count && !s->config.options->state; i++)
        parted &= session_try_part(node_session(s->nodes[i]));
    return parted;
}

bool store_is_busy(const struct store *s)
{
    for (uint32_t p = 0; p < s->placements_count; p++)
        if (partition_busy(s->placements[p].partition))
            return true;
    return false;
}

uint32_t store_poll(const struct store *s, struct pollfd out[STORE_POLLS_MAX])
{
    uint32_t count = 0;

    if (s->topology)
        link_poll(topology_link(s->topology), &out[count++]);
    for (uint32_t i = 0; i < s->nodes_count; i++)
        link_poll(node_link(s->nodes[i]), &out[count++]);
    return count;
}

uint64_t store_wake_ms(const struct store *s)
{
    uint64_t wake = s->topology ? topology_wake_ms(s->topology) : UINT64_MAX;

    for (uint32_t i = 0; i < s->nodes_count; i++)
        wake = node_wake_ms(s->nodes[i]) < wake ? node_wake_ms(s->nodes[i]) : wake;
    return wake;
}

/* ---- life ---- */

static int store_create_topology(struct store *s)
{
    const struct topology_config topology = {
        .accounts = s->config.accounts,
        .space = s->config.space,
        .link = &s->link,
        .seed = store_seed(s),
        .ctx = s,
        .map = store_on_map,
        .differs = store_on_differs,
        .known = store_known,
    };

    return topology_create(&s->topology, &topology);
}

static int store_create_placement(struct store *s, uint32_t number)
{
    const struct state_file *state = s->config.options->state;
    const struct chain_config chain = {
        .history = {.options = s->config.options,
                    .accounts = s->config.accounts,
                    .prefix = keyspace_prefix(s->config.space, number),
                    .number = number,
                    .journal = state ? state_file_journal(state, number) : NULL,
                    .journal_bytes = state ? state_file_geometry(state)->journal_bytes : 0,
                    .replay_parts_max = REPLAY_PARTS_MAX / s->config.space->partitions},
        .loss_vouched_ms = s->config.space->tagged ? LOSS_VOUCHED_MS : 0,
        .loss_alone_ms = s->config.space->tagged ? LOSS_ALONE_MS : 0,
    };

    if (!s->config.space->tagged)
        s->placements[number].assigned = store_seed(s);
    return partition_create(&s->placements[number].partition, &chain);
}

int store_create(struct store **out, const struct store_config *config)
{
    uint32_t placements = config->space->partitions;
    struct store *s = calloc(1, sizeof(*s) + placements * sizeof(s->placements[0]));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->link = link_settings(config->options, config->accounts->env);
    s->placements_count = placements;
    s->changed = true;
    int failed = config->space->tagged ? store_create_topology(s) : 0;
    for (uint32_t p = 0; p < placements && !failed; p++)
        failed = store_create_placement(s, p);
    if (failed) {
        store_destroy(s);
        return failed;
    }
    *out = s;
    return 0;
}

void store_destroy(struct store *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->nodes_count; i++)
        node_destroy(s->nodes[i]);
    for (uint32_t p = 0; p < s->placements_count; p++)
        partition_destroy(s->placements[p].partition);
    topology_destroy(s->topology);
    free(s);
}
