#pragma once
/* An asymmetric fence. The heavy half pays, so that the light half costs a worker nothing.
 *
 * Thread: barrier_init() once, before the first thread. The others from any.
 * A worker has only a compiler barrier between storing a count and loading whether the cell is queued. Once a flush,
 * the flusher makes every running thread of the process execute a full fence. Errors: where the kernel refuses it
 * (seccomp, before Linux 4.14), barrier_heavy() does nothing and returns false. The caller must then look once more,
 * one flush later, at what it has collected. Source: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED. */

#include <stdbool.h>

int barrier_init(void); /* 0, or -errno where the kernel refuses it */
bool barrier_heavy(void);

static inline void barrier_light(void) { __asm__ __volatile__("" ::: "memory"); }
