#pragma once
/* A long array of zeroes that is only reserved: a page becomes memory when it is first written.
 *
 * Thread: none of its own. Never moves, so the flusher never stops to copy a million keys. */

#include <stddef.h>

/* NULL when the address space or the limits (RLIMIT_AS, overcommit) do not allow it. */
void *column_reserve(size_t count, size_t item_bytes);
void column_release(void *column, size_t count, size_t item_bytes);
