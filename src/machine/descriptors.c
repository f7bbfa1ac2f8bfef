#include "machine/descriptors.h"

#include <errno.h>
#include <sys/resource.h>

/* Standard streams, signals, Redis, log; and for each worker its ring, listener, wake-up and timers. */
#define DESCRIPTORS_PROCESS 32
#define DESCRIPTORS_WORKER 8

int64_t descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

uint32_t descriptors_share(uint64_t limit, uint32_t workers, uint32_t wanted, bool direct)
{
    uint64_t reserved = DESCRIPTORS_PROCESS + (uint64_t)DESCRIPTORS_WORKER * workers;
    uint64_t left = limit > reserved ? limit - reserved : 0;
    uint64_t share = direct ? left : left / workers;
    return share < wanted ? (uint32_t)share : wanted;
}
