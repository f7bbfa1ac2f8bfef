#pragma once
/* What the cgroups of this process limit. Every group limits, from its own up to the root.
 *
 * Thread: main.
 * Source: cgroups(7). */

#include <stdbool.h>
#include <stdint.h>

/* Returns the limit that the group of that directory sets, or UINT64_MAX when it sets none. */
typedef uint64_t (*cgroup_limit_fn)(const char *directory);

/* Returns the least of them. `root` is "" but in tests, where it is a directory with proc/self/cgroup and
 * sys/fs/cgroup. */
uint64_t cgroup_least(const char *root, const char *controller, cgroup_limit_fn v1, cgroup_limit_fn v2);
/* Reads the number at the start of a file. Returns false when there is no such file, or no number in it. */
bool cgroup_number(const char *directory, const char *name, long long *out);
