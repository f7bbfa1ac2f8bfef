#pragma once
/* Who owns a hash slot, read from the answer to CLUSTER SLOTS.
 *
 * Thread: pure functions.
 * Source: the Redis command reference, CLUSTER SLOTS: an array of [first, last, master, replica…], where a node is
 * [endpoint, port, id (since 4.0), metadata (since 7.0: name, value, …)].
 * The host is the announced host name when there is one (certificates are for names), else the endpoint; an endpoint
 * that is empty or NULL means the host that was asked; "?" means it has none, and then the metadata tell the address.
 */

#include <stdbool.h>
#include <stdint.h>

#include "redis/resp.h"

#define NODE_HOST_BYTES_MAX 256

struct node_address {
    char host[NODE_HOST_BYTES_MAX];
    uint16_t port;
};

/* Is this an answer to CLUSTER SLOTS at all? (It may be empty: no slot is served.) */
bool slots_fits(const struct reply *reply);
/* The master of `slot`; false: nobody serves it, or its address makes no sense. `asked` is who gave the answer. */
bool slots_find(const struct reply *reply, uint16_t slot, const struct node_address *asked, struct node_address *out);

/* Is `address` one of the nodes of the map, master or replica? */
bool slots_know(const struct reply *reply, const struct node_address *asked, const struct node_address *address);

static inline bool node_address_equals(const struct node_address *a, const struct node_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}
