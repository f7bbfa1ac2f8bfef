#pragma once
/* Says in the log that a node cannot be reached, and why.
 *
 * Thread: the flusher's.
 * It is said at once, and while it lasts at most every 30 s. Another reason than the last one is said after a second
 * already, because the first is often a symptom: a connection was closed, and then a certificate is refused. A link
 * that the server closed while nothing was due on it is no outage. If the next attempt fails, that is one. What the
 * server refuses is told by nodes/refusals.h. */

#include "owed/env.h"
#include "redis/link.h"
#include "redis/slots.h"

struct outage {
    bool reported;
    bool idle; /* the last end was of an idle link */
    uint64_t logged_ms;
    char why[64]; /* the beginning of the reason that was logged */
};

void outage_lost(struct outage *o, const struct env *env, const struct node_address *node, const struct link *link);
/* The link is up. Returns how loud to say so: less when nothing was said of its end. */
enum log_level outage_over(struct outage *o);
