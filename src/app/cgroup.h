#pragma once
/* What the cgroups of this process limit (cgroups(7)): every group limits, from its own up to the root. */

#include <stdbool.h>
#include <stdint.h>

/* The limit that the group of that directory sets; UINT64_MAX: none. */
typedef uint64_t (*cgroup_limit_fn)(const char *directory);

/* The least of them. `root` is "" but in tests, where it is a directory with proc/self/cgroup and sys/fs/cgroup. */
uint64_t cgroup_least(const char *root, const char *controller, cgroup_limit_fn v1, cgroup_limit_fn v2);
/* The number at the start of a file; false: there is no such file, or no number in it. */
bool cgroup_number(const char *directory, const char *name, long long *out);
