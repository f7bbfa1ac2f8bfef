#pragma once
/* Finds how far a run of bytes of one class reaches, sixteen at a time.
 *
 * Thread: pure functions.
 * A table of bytes defines a class, and blocks are its fast form. Nothing in front of `at`, at `end` or past it is
 * read, so a run may lie at the edge of a mapping.
 * SSE2 is in every x86-64, so there is one binary and no dispatch. Elsewhere the table alone does the work, with the
 * same results. Tests compare the two for every byte at every offset. */

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

#include "base/word.h"

typedef __m128i block;

static inline block block_of(char c) { return _mm_set1_epi8(c); }
static inline block block_equal(block b, char c) { return _mm_cmpeq_epi8(b, block_of(c)); }

/* The bytes from `low` on, `count` of them. They are moved so that `low` is the least of the signed values. */
static inline block block_range(block b, char low, int count)
{
    return _mm_cmplt_epi8(_mm_add_epi8(b, block_of((char)(0x80 - low))), block_of((char)(count - 128)));
}

static inline block block_or(block a, block b) { return _mm_or_si128(a, b); }
static inline block block_letters(block b) { return block_range(block_or(b, block_of(0x20)), 'a', 26); }
/* Letters, digits, '-' and '.'. */
static inline block block_labels(block b)
{
    return block_or(block_letters(b), block_or(block_range(b, '0', 10), block_range(b, '-', 2)));
}

/* One bit for each byte, the lowest for the first. */
static inline unsigned block_bits(block b) { return (unsigned)_mm_movemask_epi8(b); }

static inline block block_load(const char *at) { return _mm_loadu_si128((const __m128i *)(const void *)at); }

/* Loads 8 to 15 bytes as the first eight and the last eight. Those in the middle are there twice. */
static inline block block_load_short(const char *at, const char *end)
{
    return _mm_set_epi64x((long long)word64_load(end - 8), (long long)word64_load(at));
}

#endif

/* Returns the first byte that the table gives no bit of `class`, or `end`. */
static inline const char *run_by_table(const char *at, const char *end, const uint8_t table[256], uint8_t class)
{
    while (at < end && (table[(uint8_t)*at] & class))
        at++;
    return at;
}

#ifdef __SSE2__
/* Returns the same. `stops` is inlined, and sets a bit for every byte that the table refuses. Where it sets more, the
 * result may be too early, and the caller goes on from there with the table. */
static inline __attribute__((always_inline)) const char *
run_by_block(const char *at, const char *end, const uint8_t table[256], uint8_t class, unsigned (*stops)(block b))
{
    const char *start = at;

    for (; end - at >= 16; at += 16) {
        unsigned found = stops(block_load(at));
        if (found != 0)
            return at + __builtin_ctz(found);
    }
    /* What is left is seen in one more block, which reaches back over bytes that are none of its stops. */
    if (end - start >= 16) {
        unsigned found = stops(block_load(end - 16));
        return found != 0 ? end - 16 + __builtin_ctz(found) : end;
    }
    if (end - start < 8)
        return run_by_table(at, end, table, class);
    unsigned found = stops(block_load_short(at, end));
    if (found == 0)
        return end;
    int first = __builtin_ctz(found);
    return first < 8 ? at + first : end - 16 + first;
}

#define RUN_END(at, end, table, class, stops) run_by_block((at), (end), (table), (class), (stops))
#else
#define RUN_END(at, end, table, class, stops) run_by_table((at), (end), (table), (class))
#endif
