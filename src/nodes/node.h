#pragma once
/* One node of the store, with its link, the conversation on it, and what the log says about them.
 *
 * Thread: the flusher's. */

#include "nodes/session.h"
#include "redis/slots.h"

struct node_config {
    struct accounts *accounts;
    struct read_queue *reads;
    const struct link_config *link; /* all but the address */
    struct node_address address;
    uint32_t members_max;
    void (*remap)(void *ctx); /* a partition seems to belong to another node */
    void *remap_ctx;
};

struct node;

int node_create(struct node **out, const struct node_config *config); /* 0 or -ENOMEM */
void node_destroy(struct node *n);                                    /* without members, or with all of the store */
void node_tick(struct node *n, uint64_t now_ms);
/* Ends the connection, because nothing that is ours lives there any more. */
void node_abandon(struct node *n);
/* Ends the connection and makes another. */
void node_reconnect(struct node *n);
/* Takes the same address again, with what the map says of its second choice now. */
void node_learn(struct node *n, const struct node_address *a);
/* Did an attempt fail or a connection end, with no success since? */
bool node_is_lost(const struct node *n);
bool node_is_ready(const struct node *n);
struct session *node_session(struct node *n);
const struct node_address *node_address(const struct node *n);
const struct link *node_link(const struct node *n);
uint64_t node_wake_ms(const struct node *n);
