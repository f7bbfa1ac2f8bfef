#include "machine/process_figures.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void process_figures_open(struct process_figures *p, uint64_t memory_limit)
{
    struct rlimit limit;
    *p = (struct process_figures){
        .statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
        .fds_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC),
        .fds_max = getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT64_MAX ? -1 : (int64_t)limit.rlim_cur,
        .memory_limit = memory_limit,
    };
}

static void fd_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void process_figures_close(struct process_figures *p)
{
    fd_close(p->statm_fd);
    fd_close(p->fds_fd);
}

struct process_memory process_memory(const struct process_figures *p)
{
    char text[128];
    long long size, resident;
    long page_bytes = sysconf(_SC_PAGESIZE);
    ssize_t bytes = p->statm_fd < 0 ? -1 : pread(p->statm_fd, text, sizeof(text) - 1, 0);
    if (bytes <= 0)
        return (struct process_memory){-1, -1};
    text[bytes] = '\0';
    if (sscanf(text, "%lld %lld", &size, &resident) != 2)
        return (struct process_memory){-1, -1};
    return (struct process_memory){size * page_bytes, resident * page_bytes};
}

int64_t process_fds_open(const struct process_figures *p)
{
    struct stat st;
    bool known = p->fds_fd >= 0 && fstat(p->fds_fd, &st) == 0 && st.st_size > 0;
    return known ? (int64_t)st.st_size : -1;
}

int64_t process_cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used); /* cannot fail for one's own */
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}
