#include "base/region.h"

#include <sys/mman.h>

void *region_reserve(size_t bytes)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (region == MAP_FAILED)
        return NULL;
    /* Where huge pages are always on, the first byte of each region would cost 2 MiB. A kernel without
     * them refuses the advice, and that is as good. */
    madvise(region, bytes, MADV_NOHUGEPAGE);
    return region;
}

void region_release(void *region, size_t bytes)
{
    if (region)
        munmap(region, bytes);
}

void region_discard(void *part, size_t bytes)
{
    /* Advice: where pages are too large for the part it is refused, and the memory is merely kept. */
    madvise(part, bytes, MADV_DONTNEED);
}
