#include "app/cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 4096 /* longest path that is looked at */

static bool number_read(const char *directory, const char *name, long long *out)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    bool read = fscanf(stream, "%lld", out) == 1;
    fclose(stream);
    return read;
}

static uint32_t quota_round(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return UINT32_MAX;
    long long cpus = (quota + period - 1) / period;
    return cpus < UINT32_MAX ? (uint32_t)cpus : UINT32_MAX;
}

static uint32_t quota_v1(const char *directory)
{
    long long quota, period;
    if (!number_read(directory, "cpu.cfs_quota_us", &quota) || !number_read(directory, "cpu.cfs_period_us", &period))
        return UINT32_MAX;
    return quota_round(quota, period);
}

/* "max 100000" (no quota) or "50000 100000". */
static uint32_t quota_v2(const char *directory)
{
    char path[PATH_BYTES];
    long long quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", directory);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return UINT32_MAX;
    bool read = fscanf(stream, "%lld %lld", &quota, &period) == 2;
    fclose(stream);
    return read ? quota_round(quota, period) : UINT32_MAX;
}

/* The least quota from `mount``path` up to `mount`: every ancestor limits too. A path that is not there
 * belongs to the host's view of this container, whose own group is then mounted at the top. */
static uint32_t quota_upwards(const char *mount, const char *path, uint32_t (*quota_at)(const char *directory))
{
    char directory[PATH_BYTES];
    size_t mount_bytes = strlen(mount);
    uint32_t least = UINT32_MAX;
    if ((size_t)snprintf(directory, sizeof directory, "%s%s", mount, path) >= sizeof directory)
        return least;
    for (;;) {
        uint32_t quota = quota_at(directory);
        least = quota < least ? quota : least;
        char *slash = strrchr(directory, '/');
        if (slash == NULL || (size_t)(slash - directory) < mount_bytes)
            return least;
        *slash = '\0';
    }
}

static bool list_has(const char *list, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = list; *at != '\0'; at += strspn(at, ",")) {
        size_t span = strcspn(at, ",");
        if (span == bytes && memcmp(at, word, bytes) == 0)
            return true;
        at += span;
    }
    return false;
}

/* One line of /proc/self/cgroup: "id:controllers:path"; v2 has no controllers there (cgroups(7)). */
static uint32_t quota_of_line(const char *root, char *line)
{
    char mount[PATH_BYTES];
    char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return UINT32_MAX;
    *path++ = '\0';
    controllers++;
    path[strcspn(path, "\n")] = '\0';
    bool v2 = *controllers == '\0';
    if (!v2 && !list_has(controllers, "cpu"))
        return UINT32_MAX;
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", root, v2 ? "" : "/", controllers);
    return quota_upwards(mount, path, v2 ? quota_v2 : quota_v1);
}

uint32_t cpus_quota(const char *root)
{
    char path[PATH_BYTES], line[PATH_BYTES];
    uint32_t least = UINT32_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *stream = fopen(path, "re");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        uint32_t quota = quota_of_line(root, line);
        least = quota < least ? quota : least;
    }
    if (stream != NULL)
        fclose(stream);
    return least;
}

void cpus_find(const char *root, struct cpus *out)
{
    cpu_set_t set;
    memset(out, 0, sizeof *out);
    CPU_ZERO(&set);
    /* Fails only on machines with more CPUs than CPUS_MAX: one worker then, and --workers for more. */
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        CPU_SET(0, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE && out->allowed < CPUS_MAX; cpu++) {
        if (CPU_ISSET(cpu, &set))
            out->ids[out->allowed++] = (uint16_t)cpu;
    }
    uint32_t quota = cpus_quota(root);
    out->usable = quota < out->allowed ? quota : out->allowed;
}
