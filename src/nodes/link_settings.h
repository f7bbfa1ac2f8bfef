#pragma once
/* What every link to the store has in common.
 *
 * Thread: a pure function. */

#include "nodes/store.h"
#include "redis/link.h"

/* All but the address. It borrows from `config`. */
struct link_config link_settings(const struct store_config *config);
