#pragma once
/* Who owns a hash slot, read from the answer to CLUSTER SLOTS.
 *
 * Thread: pure functions.
 * Source: the Redis command reference, CLUSTER SLOTS: an array of [first, last, master, replica…], where a node is
 * [endpoint, port, id (since 4.0), metadata (since 7.0: name, value, …)].
 * The host is the endpoint, which the cluster prefers (cluster-preferred-endpoint-type). An endpoint that is empty or
 * NULL means the host that was asked. "?" means that it has none, and then the metadata tell the address. A name or
 * address in the metadata is the second choice, and what a certificate may be for as well. What a server says ends in
 * logs and metrics, so a host holds letters, digits and "-._:%" only. A node with any other host, or a port
 * outside 1..65535, counts as nobody. */

#include <stdbool.h>
#include <stdint.h>

#include "redis/resp.h"

#define NODE_HOST_BYTES_MAX 256

struct node_address {
    char host[NODE_HOST_BYTES_MAX];
    uint16_t port;
    char other[NODE_HOST_BYTES_MAX]; /* the second choice, or empty */
};

/* Is this an answer to CLUSTER SLOTS at all, with ranges within 0..16383? It may be empty when no slot is served. */
bool slots_fits(const struct reply *reply);
/* Finds the master of `slot`. Returns false when nobody serves it or its address makes no sense. `asked` gave the
 * answer. */
bool slots_find(const struct reply *reply, uint16_t slot, const struct node_address *asked, struct node_address *out);

/* How many masters own a slot. No more than `most` are counted. */
uint32_t slots_masters(const struct reply *reply, uint32_t most);

/* Is `address` one of the nodes of the map, master or replica? */
bool slots_know(const struct reply *reply, const struct node_address *asked, const struct node_address *address);

/* Compares the first choice only, because the second may come and go. */
static inline bool node_address_equals(const struct node_address *a, const struct node_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}
