#pragma once
/* Says in the log that a node cannot be reached, and why: at once, and then no more than every 30 s while it lasts; but
 * another reason than the last one after a second already, as the first is often but a symptom (a connection that was
 * closed, and then a certificate that is refused). A link that the server closed while nothing was due on it is no
 * outage: if the next attempt fails, that is said. What the server refuses is told by refusals.h.
 *
 * Thread: the flusher's. */

#include "ledger/env.h"
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
