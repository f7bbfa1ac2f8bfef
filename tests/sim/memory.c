/* Linked in the place of the functions that ask the kernel for memory, randomness and fences (ld --wrap): a thousand
 * worlds a second are made and thrown away, and a seed must be all the chance there is. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/region.h"
#include "sim/sim.h"
#include "sync/barrier.h"

void *__wrap_region_reserve(size_t bytes);
void __wrap_region_release(void *region, size_t bytes);
void __wrap_region_discard(void *part, size_t bytes);
int __wrap_random_bytes(void *out, size_t bytes);
bool __wrap_barrier_heavy(void);

static bool fenced;

void *__wrap_region_reserve(size_t bytes) { return calloc(1, bytes); }

void __wrap_region_release(void *region, size_t bytes)
{
    (void)bytes;
    free(region);
}

void __wrap_region_discard(void *part, size_t bytes) { memset(part, 0, bytes); }
int __wrap_random_bytes(void *out, size_t bytes)
{
    memset(out, 0x5a, bytes);
    return 0;
}

void memory_set_fenced(bool has_membarrier) { fenced = has_membarrier; }
bool __wrap_barrier_heavy(void) { return fenced; }
