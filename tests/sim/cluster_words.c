/* What a node of a cluster says of the slots, by its own view. */
#include <stdlib.h>

#include "protocol/crc16.h"
#include "sim/cluster.h"

#define PORT 6379

static const char *const addresses[NET_NODES_MAX] = {"10.0.0.0:6379", "10.0.0.1:6379", "10.0.0.2:6379",
                                                     "10.0.0.3:6379", "10.0.0.4:6379", "10.0.0.5:6379"};

static struct model_slot node_slot(void *ctx, uint16_t slot)
{
    const struct cluster_node *n = ctx;
    const struct cluster *c = n->cluster;
    uint32_t unit = 0;

    while (unit < c->units_count && c->units[unit].slot != slot)
        unit++;
    if (unit == c->units_count || n->view[unit] == CLUSTER_NOBODY)
        return (struct model_slot){0};
    uint8_t to = n->open[unit];
    return (struct model_slot){
        .owner = addresses[n->view[unit]],
        .migrating = to == CLUSTER_NOBODY ? NULL : addresses[to],
        .mine = n->view[unit] == n->number,
    };
}

static void append_node(struct buf *out, uint32_t node)
{
    buf_printf(out, "*3\r\n$8\r\n10.0.0.%u\r\n:%u\r\n$40\r\n%040u\r\n", node, PORT, node);
}

/* [first, last, master, replica …] */
static void append_range(struct buf *out, const struct cluster *c, uint32_t first, uint32_t last, uint32_t master)
{
    uint32_t replicas = 0;

    for (uint32_t i = 0; i < c->nodes_count; i++)
        replicas += c->nodes[i].master == master && i != master;
    buf_printf(out, "*%u\r\n:%u\r\n:%u\r\n", 3 + replicas, first, last);
    append_node(out, master);
    for (uint32_t i = 0; i < c->nodes_count; i++) {
        if (c->nodes[i].master == master && i != master)
            append_node(out, i);
    }
}

static int by_slot(const void *a, const void *b)
{
    return (*(const struct cluster_unit *const *)a)->slot - (*(const struct cluster_unit *const *)b)->slot;
}

/* The slots are cut where the units are; those behind the last belong to it, too. */
static void node_slots(void *ctx, struct buf *out)
{
    const struct cluster_node *n = ctx;
    const struct cluster *c = n->cluster;
    const struct cluster_unit *sorted[CLUSTER_UNITS_MAX];
    uint32_t served = 0, first = 0;

    for (uint32_t u = 0; u < c->units_count; u++) {
        if (n->view[u] != CLUSTER_NOBODY)
            sorted[served++] = &c->units[u];
    }
    qsort(sorted, served, sizeof(sorted[0]), by_slot);
    buf_printf(out, "*%u\r\n", served);
    for (uint32_t i = 0; i < served; i++) {
        uint32_t last = i + 1 == served ? SLOTS - 1 : sorted[i]->slot;
        append_range(out, c, first, last, n->view[sorted[i] - c->units]);
        first = last + 1;
    }
}

struct model_cluster cluster_words(struct cluster_node *n)
{
    return (struct model_cluster){.ctx = n, .slot = node_slot, .slots = node_slots};
}
