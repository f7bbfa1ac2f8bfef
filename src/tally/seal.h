#pragma once
/* A number of up to 56 bits in one 64-bit word that carries its own check. The top byte is the exclusive or of the
 * seven others and SEAL_SALT.
 *
 * Thread: pure functions.
 * One plain store writes the word, so a killed process leaves the old or the new one. Any one damaged byte is found. A
 * word of zeroes, as a hole in a file has them, is not whole. */

#include <stdbool.h>
#include <stdint.h>

#define SEAL_BITS 56
#define SEAL_MAX ((UINT64_C(1) << SEAL_BITS) - 1)
#define SEAL_SALT UINT64_C(0xa5)

/* `number` is at most SEAL_MAX. */
static inline uint64_t seal(uint64_t number)
{
    uint64_t fold = number ^ number >> 32;

    fold ^= fold >> 16;
    fold ^= fold >> 8;
    return number | (fold ^ SEAL_SALT) << SEAL_BITS;
}

static inline uint64_t seal_number(uint64_t word) { return word & SEAL_MAX; }
static inline bool seal_is_whole(uint64_t word) { return seal(seal_number(word)) == word; }

/* Adds `n` to the number, so that the word is what seal() makes of the sum. Returns false, and changes nothing, when
 * the sum would pass SEAL_MAX. The check is linear. Where only the lowest byte changes, as it nearly always does, the
 * top byte changes by the same bits. The halves of sum ^ word are shifted, and not the whole, because that is one step
 * less between a hot cell's load and its store. */
static inline bool seal_add(uint64_t *word, uint64_t n)
{
    uint64_t was = *word, sum = was + n;

    if (((sum ^ was) | n) < 256) {
        *word = (sum ^ was << SEAL_BITS) ^ sum << SEAL_BITS;
        return true;
    }
    if (n > SEAL_MAX - seal_number(*word))
        return false;
    *word = seal(seal_number(*word) + n);
    return true;
}
