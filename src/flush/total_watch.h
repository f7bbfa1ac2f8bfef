#pragma once
/* Says when totals of namespaces are not what they should be (owed/sums.h), by a line in the log when it begins, and
 * metrics for as long as it lasts.
 *
 * Thread: the flusher's. */

#include "owed/env.h"
#include "owed/keys.h"
#include "owed/stats.h"

struct total_watch {
    const struct env *env;
    const struct keys *keys;
    struct flusher_stats *stats;
    bool said_late; /* once and for all, since a namespace that has a total keeps it */
    bool said_owed; /* until it is over */
};

/* Called at each flush. Costs a load for each namespace and partition. */
void total_watch_tick(struct total_watch *w);
