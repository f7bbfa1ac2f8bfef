#pragma once
/* CRC-32C (Castagnoli). It finds every burst of up to 32 bits, so one damaged byte is never missed. It takes a byte at
 * a time, so it is meant for what is written rarely.
 *
 * Thread: a pure function.
 * Source: RFC 3720 appendix B.4. The polynomial is 0x1EDC6F41, reflected. */

#include <stddef.h>
#include <stdint.h>

/* Returns the sum of all bytes so far. `before` is the sum of those in front of `data`, and 0 at the beginning. */
uint32_t crc32c(uint32_t before, const void *data, size_t bytes);
