#pragma once
/* What every link to the store has in common.
 *
 * Thread: a pure function. */

#include "ledger/flush_options.h"
#include "owed/env.h"
#include "redis/link.h"

/* All but the address. It borrows from both. Not in embedded mode. */
struct link_config link_settings(const struct flush_options *options, const struct env *env);
