#pragma once
/* File descriptors: raise the soft limit to the hard one, and see whether the connections fit. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Raises RLIMIT_NOFILE as far as allowed without privileges; the limit, or -errno. */
int64_t descriptors_raise(void);

/* How many connections each of `workers` can hold under `limit`: `wanted`, or fewer; 0 when there is no
 * room for even one. With io_uring they are direct descriptors: each ring's table may be as large as the limit,
 * and the tables are not added up (io_uring_register(2), IORING_REGISTER_FILES: EMFILE). Else all share the limit. */
uint32_t descriptors_share(uint64_t limit, uint32_t workers, uint32_t wanted, bool direct);
