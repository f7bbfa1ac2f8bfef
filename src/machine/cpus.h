#pragma once
/* How many CPUs this process may use. That is its affinity mask, cut down by the CPU quota of its cgroups.
 *
 * Thread: main.
 * Source: sched_getaffinity(2), cgroup v2 cpu.max, cgroup v1 cpu.cfs_quota_us and cpu.cfs_period_us. */

#include <stdint.h>

#define CPUS_MAX 1024

struct cpus {
    uint32_t allowed;       /* in the affinity mask */
    uint32_t usable;        /* 1…allowed. A quota of 2.5 CPUs counts as 3 */
    uint16_t ids[CPUS_MAX]; /* the allowed ones */
};

/* `root` is "" but in tests, where it is a directory with proc/self/cgroup and sys/fs/cgroup. */
void cpus_find(const char *root, struct cpus *out);
/* Returns the CPUs that the quota allows, rounded up, or UINT32_MAX when there is no quota. */
uint32_t cpus_quota(const char *root);
