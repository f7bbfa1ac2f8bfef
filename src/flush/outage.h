#pragma once
/* Says in the log that a node cannot be reached, and why: at once, and then no more than every 30 s while it lasts.
 *
 * Thread: the flusher's. */

#include "flush/env.h"
#include "redis/link.h"
#include "redis/slots.h"

struct outage {
    bool reported;
    uint64_t logged_ms;
};

void outage_lost(struct outage *o, const struct env *env, const struct node_address *node, const struct link *link);
static inline void outage_over(struct outage *o) { o->reported = false; }
