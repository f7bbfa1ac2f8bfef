#pragma once
/* A cluster of simulated servers: who owns which slot, who thinks so, and how both change.
 *
 * Thread: one.
 * Only the slots that are used matter, one a partition and one for the meta key: a unit each. What is true is in the
 * units; each node has a view of its own, which follows by hearsay, up to two seconds late (cluster.c says why not
 * later). Happy path: masters own the units, each has a replica without a model of its own: what a replica holds is
 * what its master held some steps ago, so it is made when it takes its place. What changes: a unit migrates key by key;
 * a replica takes over, with or without what was acknowledged last, while its master is dead, demoted at once, or goes
 * on answering because it has not heard; a node dies and comes back. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/keyspace.h"
#include "sim/net.h"

#define CLUSTER_PARTITIONS_MAX 6
#define CLUSTER_UNITS_MAX (CLUSTER_PARTITIONS_MAX + 1)
#define CLUSTER_NOBODY UINT8_MAX

struct cluster_unit {
    uint16_t slot;
    uint8_t owner;
    uint8_t moving_to; /* CLUSTER_NOBODY: it stays */
};

struct cluster_node {
    struct cluster *cluster;
    uint8_t number;
    uint8_t master;                  /* itself, or whose replica it is */
    uint8_t view[CLUSTER_UNITS_MAX]; /* who owns which, as it has heard; CLUSTER_NOBODY: nobody */
    uint8_t open[CLUSTER_UNITS_MAX]; /* where it migrates which to, as it has heard */
    uint64_t hears_us;               /* when it hears what is true; NET_NEVER: it has */
    uint64_t returns_us;             /* when it is started again; NET_NEVER: it runs */
    uint64_t trusts_us;              /* when it trusts its own view, after a start; NET_NEVER: it does */
};

struct cluster {
    struct net *net;
    struct chance *chance;
    const uint64_t *now_us;
    uint32_t units_count;      /* 0: it is no cluster */
    uint32_t leads;            /* of a single server: to which of its copies the name leads (copies.c) */
    uint32_t nodes_count;      /* half of them, rounded down, begin as replicas */
    uint32_t forgot;           /* units, a bit each, of which something acknowledged was forgotten */
    uint32_t emptied;          /* even ledgers */
    uint32_t moves, takeovers; /* so far */
    uint64_t move_us;          /* when the next key of a migrating unit moves */
    struct cluster_unit units[CLUSTER_UNITS_MAX];
    struct cluster_node nodes[NET_NODES_MAX];
};

/* `space` NULL: a single server, node 0 and unit 0. */
void cluster_begin(struct cluster *c, struct net *net, const struct keyspace *space);
/* net_user.resolve: the name of a node, or any of the nodes for the seed's. */
uint32_t cluster_resolve(const struct cluster *c, const char *host);
/* Where a key of a unit is, or would be. */
struct model *cluster_model(const struct cluster *c, uint32_t unit, struct slice key);
/* When something happens next by itself; cluster_step() makes it happen. */
uint64_t cluster_next_us(const struct cluster *c);
void cluster_step(struct cluster *c);

/* ---- what may befall it; each does nothing when it cannot be ---- */
enum cluster_takeover {
    TAKEOVER_ORDERED,  /* nothing is lost, and the old master knows at once */
    TAKEOVER_BY_FORCE, /* the replica lags, and the old master has not heard yet */
    TAKEOVER_OF_DEAD,
    TAKEOVERS,
};
void cluster_migrate(struct cluster *c);
void cluster_take_over(struct cluster *c, enum cluster_takeover how);
/* A node dies and comes back, perhaps without what it did last. */
void cluster_kill(struct cluster *c, bool forgets);
void cluster_empty(struct cluster *c); /* FLUSHALL on one node */
/* A node hears nothing for longer, or has forgotten who owns what. */
void cluster_confuse(struct cluster *c);
void cluster_heal(struct cluster *c);

/* ---- cluster_words.c ---- */
struct model_cluster cluster_words(struct cluster_node *n);
