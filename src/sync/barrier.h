#pragma once
/* The heavy half of an asymmetric fence: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED (Linux 4.14).
 *
 * Workers pay only a compiler barrier between "store count" and "load queued"; the flusher, once a
 * flush, makes every running thread of the process execute a full fence. Without it (seccomp, old
 * kernels) barrier_heavy() is a no-op that returns false and the caller must look at what it
 * collected once more one flush later.
 *
 * Thread: barrier_init() before the first thread, once; the rest from any. */

#include <stdbool.h>

int barrier_init(void); /* 0, or -errno: not available here */
bool barrier_heavy(void);

static inline void barrier_light(void) { __asm__ __volatile__("" ::: "memory"); }
