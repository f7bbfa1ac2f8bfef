#pragma once
/* Knows the way about a cluster: a connection of its own to any node, on which it asks who owns which slot, and sees
 * to it that the data set is cut as this process thinks (keyspace.h: the meta key).
 *
 * Thread: the flusher's. The connections of the partitions cannot ask: they sit in an open MULTI.
 * Happy path: connect to the seed, CLUSTER SLOTS; on the node that owns the meta key's slot: SET meta … NX, GET meta.
 * Then the map is asked for when somebody wishes, at most about once a second, and every
 * 15 s unasked. All with jitter.
 * Failure modes: the node is lost: the next one that is known, the seed again among them, and its name is resolved
 * anew; a map that does not help (wishes go on) may be that of a node that was left behind: after three, another is
 * asked; a replica will do, as it knows the map; the meta key says something else: told once, and never asked again. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/accounts.h"
#include "ledger/keyspace.h"
#include "redis/link.h"
#include "redis/slots.h"

struct scout_config {
    const struct env *env;
    struct accounts *accounts;
    const struct keyspace *space;
    const struct link_config *link; /* all but the address */
    struct node_address seed;
    void *ctx;
    void (*map)(void *ctx, const struct reply *slots, const struct node_address *asked, uint64_t asked_ms);
    void (*differs)(void *ctx, uint32_t partitions); /* the data set is cut otherwise; 0: in an unknown way */
    /* The i-th other node to ask; false: there are no more. */
    bool (*known)(void *ctx, uint32_t i, struct node_address *out);
};

struct scout;

int scout_create(struct scout **out, const struct scout_config *config); /* 0 or -ENOMEM */
void scout_destroy(struct scout *s);
void scout_tick(struct scout *s, uint64_t now_ms);
void scout_wish(struct scout *s); /* for a fresh map */
/* Has the meta key said what it should? */
bool scout_agrees(const struct scout *s);
void scout_reconnect(struct scout *s);
/* Did an attempt fail or a connection end, and none succeed since? */
bool scout_is_lost(const struct scout *s);
const struct link *scout_link(const struct scout *s);
uint64_t scout_wake_ms(const struct scout *s);
