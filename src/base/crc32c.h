#pragma once
/* CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected, as in RFC 3720 appendix B.4. Finds every burst of up to 32
 * bits, so a damaged byte is never missed. For what is written rarely: a byte at a time. */

#include <stddef.h>
#include <stdint.h>

/* Of the bytes behind those of which `before` is the sum; 0 to begin with. */
uint32_t crc32c(uint32_t before, const void *data, size_t bytes);
