#include "machine/memory.h"

#include <stdio.h>

#include "machine/cgroup.h"

#define PATH_BYTES 4096
#define BUFFERS_UNKNOWN (UINT64_C(256) << 20) /* where nothing says how much memory there is */

/* "max" (no limit) is no number. */
static uint64_t limit_v2(const char *directory)
{
    long long bytes;
    return cgroup_number(directory, "memory.max", &bytes) && bytes > 0 ? (uint64_t)bytes : UINT64_MAX;
}

/* Without a limit it is a number near 2^63, which the machine's memory undercuts. */
static uint64_t limit_v1(const char *directory)
{
    long long bytes;
    return cgroup_number(directory, "memory.limit_in_bytes", &bytes) && bytes > 0 ? (uint64_t)bytes : UINT64_MAX;
}

static uint64_t machine_bytes(const char *root)
{
    char path[PATH_BYTES], line[128];
    unsigned long long kib;
    uint64_t bytes = UINT64_MAX;
    snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    FILE *stream = fopen(path, "re");
    while (stream != NULL && fgets(line, sizeof(line), stream) != NULL)
        if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
            bytes = (uint64_t)kib * 1024;
    if (stream != NULL)
        fclose(stream);
    return bytes;
}

uint64_t memory_limit(const char *root)
{
    uint64_t machine = machine_bytes(root), groups = cgroup_least(root, "memory", limit_v1, limit_v2);
    return machine < groups ? machine : groups;
}

uint64_t memory_for_buffers(uint64_t asked, uint64_t limit)
{
    if (asked != 0)
        return asked;
    return limit == UINT64_MAX ? BUFFERS_UNKNOWN : limit / BUFFER_SHARE;
}
