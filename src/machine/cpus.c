#include "machine/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "machine/cgroup.h"

#define PATH_BYTES 4096 /* longest path that is looked at */

static uint64_t quota_round(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return UINT64_MAX;
    return (uint64_t)((quota + period - 1) / period);
}

static uint64_t quota_v1(const char *directory)
{
    long long quota, period;
    if (!cgroup_number(directory, "cpu.cfs_quota_us", &quota) ||
        !cgroup_number(directory, "cpu.cfs_period_us", &period))
        return UINT64_MAX;
    return quota_round(quota, period);
}

/* "max 100000" (no quota) or "50000 100000". */
static uint64_t quota_v2(const char *directory)
{
    char path[PATH_BYTES];
    long long quota, period;
    snprintf(path, sizeof(path), "%s/cpu.max", directory);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return UINT64_MAX;
    bool read = fscanf(stream, "%lld %lld", &quota, &period) == 2;
    fclose(stream);
    return read ? quota_round(quota, period) : UINT64_MAX;
}

uint32_t cpus_quota(const char *root)
{
    uint64_t least = cgroup_least(root, "cpu", quota_v1, quota_v2);
    return least < UINT32_MAX ? (uint32_t)least : UINT32_MAX;
}

void cpus_find(const char *root, struct cpus *out)
{
    cpu_set_t set;
    memset(out, 0, sizeof(*out));
    CPU_ZERO(&set);
    /* Fails only on machines with more CPUs than CPUS_MAX: one worker then, and --workers for more. */
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        CPU_SET(0, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE && out->allowed < CPUS_MAX; cpu++) {
        if (CPU_ISSET(cpu, &set))
            out->ids[out->allowed++] = (uint16_t)cpu;
    }
    uint32_t quota = cpus_quota(root);
    out->usable = quota < out->allowed ? quota : out->allowed;
}
