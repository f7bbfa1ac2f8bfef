#pragma once
/* A directory with one state file in it, and the lock that keeps a second process out.
 *
 *   tallyd.lock            locked for life (flock(2)), holds the process id
 *   tallyd.state           the state
 *   tallyd.state.new       while it is being made
 *   tallyd.state.damaged-… what could not be recovered in full, kept for a human
 *
 * Thread: main's.
 * It is meant for tmpfs. On a disk the kernel may stall whoever writes to a page that is being written back. */

#include "base/error.h"
#include "tally/state_disk.h"

struct state_dir;

/* Returns 0, or -errno with a sentence that says what to do. It is -EBUSY when another process has the directory. */
int state_dir_open(struct state_dir **out, const char *path, struct error *err);
void state_dir_close(struct state_dir *d); /* NULL is allowed */
const struct state_disk *state_dir_disk(const struct state_dir *d);
/* Writes the boot id of the running kernel. A file that was open when an earlier one ended may have pages of different
 * ages. */
void state_boot_id(char *out, uint64_t bytes);
