#pragma once
/* Who made a state file, and where it lay then. So a copy is told from its original, and it is known whether the
 * process with the original may still run.
 *
 * Thread: main's, at start.
 * A number that could not be had is 0. One case is not noticed, a snapshot of a whole volume that is attached to the
 * same machine in another container while the first one still runs. A file system that was mounted anew looks the
 * same. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct state_origin {
    uint64_t inode, device;
    uint64_t pid_namespace; /* its inode (namespaces(7)) */
    uint64_t pid;           /* in that namespace */
    uint64_t started;       /* when that process did, in clock ticks since boot (proc_pid_stat(5), field 22) */
};

/* Describes this process and a file of its own. */
void state_origin_make(struct state_origin *out, const struct stat *file);
/* Tells whether the process that made it runs. Only in its own namespace. */
bool state_origin_lives(const struct state_origin *o);
/* Tells whether `file`, in which `o` was found, is a copy, and the process with the original runs, as far as can be
 * seen. */
bool state_origin_has_twin(const struct state_origin *o, const struct stat *file);
