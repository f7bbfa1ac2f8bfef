#pragma once
/* Address space that is reserved for the largest case. Only what is used becomes resident, and nothing ever moves.
 *
 * Thread: any.
 * Source: mmap(2) with MAP_NORESERVE, madvise(2). */

#include <stddef.h>

/* Returns zeroed, page-aligned memory, or NULL without address space (RLIMIT_AS, vm.overcommit_memory=2). */
void *region_reserve(size_t bytes);
void region_release(void *region, size_t bytes); /* NULL is allowed */
/* Gives the memory of a page-aligned part back. Its addresses stay valid and read zero. */
void region_discard(void *part, size_t bytes);
