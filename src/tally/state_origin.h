#pragma once
/* Who made a state file and where it lay then: that is how a copy of it is told from it, and whether the process that
 * made the other one may still run.
 *
 * Thread: main's, at start.
 * A number that could not be had is 0. What is not noticed: a snapshot of a whole volume, attached to the same machine
 * in another container while the first one still runs. There a file system that was mounted anew looks the same. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct state_origin {
    uint64_t inode, device;
    uint64_t pid_namespace; /* its inode (namespaces(7)) */
    uint64_t pid;           /* in that namespace */
    uint64_t started;       /* of that process: clock ticks since boot (proc_pid_stat(5), field 22) */
};

/* Of this process and a file of its own. */
void state_origin_make(struct state_origin *out, const struct stat *file);
/* Does the process that made it run? Only in its own namespace. */
bool state_origin_lives(const struct state_origin *o);
/* Is `file`, in which `o` was found, a copy, and does the one with the original run, as far as can be seen? */
bool state_origin_has_twin(const struct state_origin *o, const struct stat *file);
