#pragma once
/* A directory with one state file in it, and the lock that keeps a second process out.
 *
 *   tallyd.lock            locked for life (flock(2)), holds the process id
 *   tallyd.state           the state
 *   tallyd.state.new       while it is being made
 *   tallyd.state.damaged-… what could not be recovered in full, kept for a human
 *
 * Meant for tmpfs: on a disk, the kernel may stall whoever writes to a page that it is writing back. */

#include "base/error.h"
#include "tally/state_disk.h"

struct state_dir;

/* 0; -EBUSY: another process has it; another -errno, each with a sentence that says what to do. */
int state_dir_open(struct state_dir **out, const char *path, struct error *err);
void state_dir_close(struct state_dir *d); /* NULL is allowed */
const struct state_disk *state_dir_disk(const struct state_dir *d);
/* Of the running kernel: pages of a file that was open when an earlier one ended may differ in age. */
void state_boot_id(char *out, uint64_t bytes);
