#pragma once
/* What the process itself uses, as the figures that Prometheus' clients call process_*.
 *
 * Thread: opened by main before the sandbox closes /proc, read by the admin thread. A figure is -1 when
 * it is not known, because /proc is not mounted or the kernel does not say. */

#include <stdint.h>

struct process_figures {
    int statm_fd, fds_fd; /* owned, or -1 */
    int64_t fds_max;
    uint64_t memory_limit; /* in bytes, of the cgroup or the machine, or UINT64_MAX when none is known */
};

struct process_memory {
    int64_t virtual_bytes, resident_bytes;
};

void process_figures_open(struct process_figures *p, uint64_t memory_limit);
void process_figures_close(struct process_figures *p);
struct process_memory process_memory(const struct process_figures *p);
/* The size of /proc/self/fd is their number since Linux 6.2. Before that it is 0. */
int64_t process_fds_open(const struct process_figures *p);
int64_t process_cpu_us(void); /* of all threads, user and kernel */
