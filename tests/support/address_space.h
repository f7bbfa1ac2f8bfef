#pragma once
/* Can a test make memory run out by RLIMIT_AS (setrlimit(2))? Under qemu-user the limit is taken and not held to. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

static inline bool address_space_can_be_limited(void)
{
    struct rlimit before, low;
    size_t more = (size_t)1 << 31;

    if (getrlimit(RLIMIT_AS, &before) != 0)
        return false;
    low = (struct rlimit){(rlim_t)1 << 30, before.rlim_max};
    if (setrlimit(RLIMIT_AS, &low) != 0)
        return false;
    void *got = mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    setrlimit(RLIMIT_AS, &before);
    if (got == MAP_FAILED)
        return true;
    munmap(got, more);
    return false;
}
