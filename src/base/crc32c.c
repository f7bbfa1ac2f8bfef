#include "base/crc32c.h"

/* The table as constant expressions: nothing to initialise before the first thread. */
#define POLYNOMIAL 0x82f63b78u /* reflected */
#define BIT(c) (((c) >> 1) ^ (((c)&1) ? POLYNOMIAL : 0))
#define BITS2(c) BIT(BIT(c))
#define BITS4(c) BITS2(BITS2(c))

/* Four bits at a time keep the table at one cache line; a sum is taken per new name and per batch, not per hit. */
static const uint32_t table[16] = {
    BITS4(0u), BITS4(1u), BITS4(2u),  BITS4(3u),  BITS4(4u),  BITS4(5u),  BITS4(6u),  BITS4(7u),
    BITS4(8u), BITS4(9u), BITS4(10u), BITS4(11u), BITS4(12u), BITS4(13u), BITS4(14u), BITS4(15u),
};

uint32_t crc32c(uint32_t before, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint32_t sum = ~before;

    for (size_t i = 0; i < bytes; i++) {
        sum ^= at[i];
        sum = (sum >> 4) ^ table[sum & 15];
        sum = (sum >> 4) ^ table[sum & 15];
    }
    return ~sum;
}
