#pragma once
/* Marks memory that the kernel owns for now, so that AddressSanitizer reports whoever touches it meanwhile.
 *
 * Thread: the engine's. */

#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
static inline void poison(const void *data, size_t bytes) { ASAN_POISON_MEMORY_REGION(data, bytes); }
static inline void unpoison(const void *data, size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(data, bytes); }
#else
static inline void poison(const void *data, size_t bytes) { (void)data, (void)bytes; }
static inline void unpoison(const void *data, size_t bytes) { (void)data, (void)bytes; }
#endif
