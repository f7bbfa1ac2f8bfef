#pragma once
/* Words out of bytes, wherever they lie, in the byte order of the machine.
 *
 * Thread: pure functions. */

#include <stdint.h>
#include <string.h>

static inline uint32_t word32_load(const void *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static inline uint64_t word64_load(const void *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}
