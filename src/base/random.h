#pragma once
/* Randomness from the kernel, and UUIDs of version 4 made of it.
 *
 * Thread: any.
 * Source: getrandom(2), RFC 9562 section 5.4. */

#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_BYTES 37 /* 36 characters and the NUL */

/* Both return 0, or -errno when the kernel has no randomness to give. */
int random_bytes(void *out, size_t bytes);
int random_uuid(char out[UUID_TEXT_BYTES]); /* lower case */
