#pragma once
/* Says when a data set is cut into too few partitions for the nodes of its cluster, or into far too many.
 *
 * Thread: the flusher's. The number of partitions is for the life of a data set, so who has chosen badly should hear of
 * it while it is small (README, Partitions). */

#include <stdbool.h>

#include "owed/accounts.h"
#include "redis/resp.h"

/* `slots` is an answer to CLUSTER SLOTS that fits. Its masters are noted in the statistics. What there is to say is
 * said once, and then *given is true. */
void advice_on_cut(const struct accounts *accounts, uint32_t partitions, const struct reply *slots, bool *given);
