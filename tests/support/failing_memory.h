#pragma once
/* Allocations of this program that fail when a test says so. Included once, by the test's own file.
 * glibc only; a sanitizer has an allocator of its own, and there nothing ever fails. */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static struct {
    bool armed;
    unsigned long calls;
    unsigned long fail_at;    /* the number of the call that fails; 0: none */
    unsigned long fail_every; /* one in so many fails; 0: none */
} failing;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_CAN_FAIL 0
#else
#define MEMORY_CAN_FAIL 1

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static bool allocation_fails(void)
{
    if (!failing.armed)
        return false;
    failing.calls++;
    return failing.calls == failing.fail_at || (failing.fail_every && failing.calls % failing.fail_every == 0);
}

void *malloc(size_t bytes) { return allocation_fails() ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return allocation_fails() ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *old, size_t bytes) { return allocation_fails() ? NULL : __libc_realloc(old, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes)
{
    return allocation_fails() ? NULL : __libc_memalign(alignment, bytes);
}
#endif

static void fail_allocation(unsigned long number)
{
    failing.armed = true;
    failing.calls = 0;
    failing.fail_at = number;
    failing.fail_every = 0;
}
