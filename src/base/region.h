#pragma once
/* Address space reserved for the largest case, resident only as far as it is used: what lies in it never moves.
 *
 * Source: mmap(2) with MAP_NORESERVE, madvise(2). */

#include <stddef.h>

/* Zeroed, page-aligned; NULL: no address space (RLIMIT_AS, vm.overcommit_memory=2). */
void *region_reserve(size_t bytes);
void region_release(void *region, size_t bytes); /* NULL is allowed */
/* Gives the memory of a page-aligned part back; its addresses stay valid and read zero. */
void region_discard(void *part, size_t bytes);
