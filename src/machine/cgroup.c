#include "machine/cgroup.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES 4096 /* longest path that is looked at */

bool cgroup_number(const char *directory, const char *name, long long *out)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    bool read = fscanf(stream, "%lld", out) == 1;
    fclose(stream);
    return read;
}

/* The least limit from `mount``path` up to `mount`: every ancestor limits too. A path that is not there
 * belongs to the host's view of this container, whose own group is then mounted at the top. */
static uint64_t least_upwards(const char *mount, const char *path, cgroup_limit_fn limit_at)
{
    char directory[PATH_BYTES];
    size_t mount_bytes = strlen(mount);
    uint64_t least = UINT64_MAX;
    if ((size_t)snprintf(directory, sizeof(directory), "%s%s", mount, path) >= sizeof(directory))
        return least;
    for (;;) {
        uint64_t limit = limit_at(directory);
        least = limit < least ? limit : least;
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
static uint64_t limit_of_line(const char *root, char *line, const char *controller, cgroup_limit_fn v1,
                              cgroup_limit_fn v2)
{
    char mount[PATH_BYTES];
    char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return UINT64_MAX;
    *path++ = '\0';
    controllers++;
    path[strcspn(path, "\n")] = '\0';
    bool is_v2 = *controllers == '\0';
    if (!is_v2 && !list_has(controllers, controller))
        return UINT64_MAX;
    snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup%s%s", root, is_v2 ? "" : "/", controllers);
    return least_upwards(mount, path, is_v2 ? v2 : v1);
}

uint64_t cgroup_least(const char *root, const char *controller, cgroup_limit_fn v1, cgroup_limit_fn v2)
{
    char path[PATH_BYTES], line[PATH_BYTES];
    uint64_t least = UINT64_MAX;
    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *stream = fopen(path, "re");
    while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
        uint64_t limit = limit_of_line(root, line, controller, v1, v2);
        least = limit < least ? limit : least;
    }
    if (stream != NULL)
        fclose(stream);
    return least;
}
