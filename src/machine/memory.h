#pragma once
/* How much memory this process may use. That is the machine's, cut down by its cgroups.
 *
 * Thread: main.
 * Source: /proc/meminfo, cgroup v2 memory.max, cgroup v1 memory.limit_in_bytes. */

#include <stdint.h>

#define BUFFER_SHARE 4 /* --max-buffer-bytes auto: a quarter */

/* Returns bytes, or UINT64_MAX when nothing says how much. `root` is that of cgroup_least(). */
uint64_t memory_limit(const char *root);
/* Returns what --max-buffer-bytes means, which is what was asked, or a share of the limit when that is auto (0). */
uint64_t memory_for_buffers(uint64_t asked, uint64_t limit);
