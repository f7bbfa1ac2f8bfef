#pragma once
/* Randomness from the kernel (getrandom(2)), and UUIDs made of it (RFC 9562, version 4). */

#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_BYTES 37 /* 36 characters and the NUL */

/* 0, or -errno when the kernel has none to give. */
int random_bytes(void *out, size_t bytes);
int random_uuid(char out[UUID_TEXT_BYTES]); /* lower case */
