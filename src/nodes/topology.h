#pragma once
/* The map of a cluster. It has a connection of its own to any node, on which it asks who owns which slot. It also
 * checks that the data set is cut into as many partitions as configured (the meta key, owed/keyspace.h).
 *
 * Thread: the flusher's. The connections of the partitions cannot ask, because they sit in an open MULTI.
 * Happy path: connect to the seed and ask for CLUSTER SLOTS. Then SET meta … NX and GET meta, on the node that owns the
 * meta key's slot. After that the map is asked for when somebody wishes, at most about once a second, and every 15 s
 * unasked. All with jitter.
 *
 * Failure modes:
 *   - The node is lost: the next one that is known is asked. The seed is among them, and its name is resolved anew.
 *   - The map does not help: if wishes go on after three answers, this node may be cut off, so another one is asked.
 *   - The node is a replica: it will do, because it knows the map.
 *   - The meta key says another number: that is told once, and nothing is ever stored. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/accounts.h"
#include "owed/keyspace.h"
#include "redis/link.h"
#include "redis/slots.h"

struct topology_config {
    struct accounts *accounts;
    const struct keyspace *space;
    const struct link_config *link; /* all but the address */
    struct node_address seed;
    void *ctx;
    void (*map)(void *ctx, const struct reply *slots, const struct node_address *asked, uint64_t asked_ms);
    void (*differs)(void *ctx, uint32_t partitions); /* The data set is cut into so many. 0 when that cannot be read */
    /* Gives the i-th other node to ask. Returns false when there are no more. */
    bool (*known)(void *ctx, uint32_t i, struct node_address *out);
};

struct topology;

int topology_create(struct topology **out, const struct topology_config *config); /* 0 or -ENOMEM */
void topology_destroy(struct topology *s);
void topology_tick(struct topology *s, uint64_t now_ms);
void topology_wish(struct topology *s); /* for a fresh map */
/* Has the meta key said what it should? */
bool topology_agrees(const struct topology *s);
void topology_reconnect(struct topology *s);
/* Did an attempt fail or a connection end, and none succeed since? */
bool topology_is_lost(const struct topology *s);
const struct link *topology_link(const struct topology *s);
uint64_t topology_wake_ms(const struct topology *s);
