#pragma once
/* A cluster of fake Redis servers behind one transport: node i is "n<i>", port 7000 + i. Each slot has an owner; others
 * answer MOVED. A slot may be open (half way to another node): what is not there is answered ASK. The map that CLUSTER
 * SLOTS tells may lag behind the owners. */

#include "protocol/crc16.h"
#include "support/world.h"

#define CLUSTER_NODES 3
#define CLUSTER_PORT 7000
#define CLUSTER_PARTITIONS 16
#define CLUSTER_NAMES 200

struct fake_cluster {
    struct fake_redis nodes[CLUSTER_NODES];
    uint8_t owner[SLOTS];
    uint8_t told[CLUSTER_NODES][SLOTS]; /* by each node's map */
    bool open[SLOTS];
    char address[CLUSTER_NODES][16]; /* "n0:7000" */
    struct cluster_seat {            /* from where a node looks at the cluster */
        struct fake_cluster *cluster;
        uint8_t node;
    } seats[CLUSTER_NODES];
    uint64_t maps_asked;
    struct keyspace space;
    struct world world;
};

uint16_t slot_of_text(const char *key);
/* The answer to CLUSTER SLOTS, for struct model_cluster: a range for each run of slots with one owner. */
void fake_cluster_slots(void *ctx, struct buf *out);
/* CLUSTERDOWN to everything that has a key. */
void cluster_set_down(struct fake_cluster *f, bool down);
/* To where slot `slot` belongs, by whatever map. */
void cluster_give(struct fake_cluster *f, uint16_t slot, uint8_t to);
/* The keys go along. */
void cluster_move(struct fake_cluster *f, uint16_t slot, uint8_t to);
uint16_t cluster_slot(const struct fake_cluster *f, uint32_t partition);
struct fake_redis *cluster_node(struct fake_cluster *f, uint32_t partition);
/* Of "ns/key": what the node that owns it holds. */
int64_t cluster_value(struct fake_cluster *f, const char *name);
/* A name of the partition, other for other `i`. */
void cluster_name(const struct fake_cluster *f, uint32_t partition, int i, char out[32]);
struct fake_cluster *cluster_create(const struct world_options *options);
void cluster_destroy(struct fake_cluster *f);

/* ---- the whole of it at once ---- */

struct fake_cluster *cluster_start(void);
void cluster_hit_all(struct fake_cluster *f, uint64_t n);
/* Each name was hit `times` times, by `n` and its number in all. */
void cluster_assert_all(struct fake_cluster *f, uint64_t n, uint64_t times);
uint64_t cluster_errors(const struct fake_cluster *f, enum redis_error_class c);
