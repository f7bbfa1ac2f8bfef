#pragma once
/* File descriptors. The soft limit is raised to the hard one, and the connections must fit.
 *
 * Thread: main. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Raises RLIMIT_NOFILE as far as allowed without privileges. Returns the limit, or -errno. */
int64_t descriptors_raise(void);

/* Returns how many connections each of `workers` can hold under `limit`, at most `wanted`, and 0 when there is no room
 * for even one. `direct` descriptors of io_uring are not added up, since each ring's table may be as large as the limit
 * (io_uring_register(2), EMFILE of IORING_REGISTER_FILES). Else all share the limit. */
uint32_t descriptors_share(uint64_t limit, uint32_t workers, uint32_t wanted, bool direct);
