#pragma once
/* How much memory this process may use: the machine's, cut down by its cgroups.
 * Sources: /proc/meminfo; cgroup v2 memory.max, cgroup v1 memory.limit_in_bytes. */

#include <stdint.h>

#define BUFFER_SHARE 4 /* --max-buffer-bytes auto: a quarter */

/* `root` as in cgroup_least(). UINT64_MAX: nothing says how much. */
uint64_t memory_limit(const char *root);
/* What --max-buffer-bytes means: as asked, or a share of the limit when that is auto (0). */
uint64_t memory_for_buffers(uint64_t asked, uint64_t limit);
