#pragma once
/* What each byte may be, and how far a run of such bytes reaches. Internal to http/.
 *
 * The table is the definition; the scans are its fast form. A scan never reads at or past `end`, so a
 * head may end at the end of a mapping.
 *
 * Why SSE2 and no more: every x86-64 has it, so there is one binary and no dispatch. Elsewhere the table
 * alone does the work, with the same results (tests compare the two for every byte at every offset). */

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum byte_class {
    BYTE_TOKEN = 1, /* tchar, RFC 9110 section 5.6.2 */
    BYTE_PATH = 2,  /* of a request target before '?', see target.h */
    BYTE_QUERY = 4, /* of a request target behind '?' */
    BYTE_VALUE = 8, /* HTAB, SP, VCHAR, obs-text, RFC 9110 section 5.5 */
    BYTE_HOST = 16, /* reg-name, RFC 3986 section 3.2.2, without percent-escapes */
    BYTE_DIGIT = 32,
    BYTE_HEX = 64,
};

extern const uint8_t byte_classes[256];

static inline int byte_is(char c, enum byte_class class) { return byte_classes[(unsigned char)c] & class; }

/* Of a byte that is BYTE_HEX. */
static inline unsigned byte_hex_value(char c)
{
    return byte_is(c, BYTE_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static inline const char *scan_class(const char *at, const char *end, enum byte_class class)
{
    while (at < end && byte_is(*at, class))
        at++;
    return at;
}

#ifdef __SSE2__

enum { SCAN_BLOCK = 16 };

static inline __m128i scan_equal(__m128i block, char c) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(c)); }

/* Each gives one bit per byte that ends the run. */

/* Bytes other than letters and '-': all that most names have. What is left is for the table to decide. */
static inline unsigned scan_name_stops(__m128i block)
{
    /* Moved so that 'a' is the lowest of the signed values. */
    __m128i lower = _mm_or_si128(block, _mm_set1_epi8(0x20));
    __m128i moved = _mm_add_epi8(lower, _mm_set1_epi8((char)(0x80 - 'a')));
    __m128i letter = _mm_cmplt_epi8(moved, _mm_set1_epi8(-128 + 26));
    return ~(unsigned)_mm_movemask_epi8(_mm_or_si128(letter, scan_equal(block, '-'))) & 0xffff;
}

static inline unsigned scan_query_stops(__m128i block)
{
    /* The comparison is signed: below 0x21 are also all bytes from 0x80. */
    __m128i outside = _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(0x21)), scan_equal(block, 0x7f));
    __m128i quote_hash = scan_equal(_mm_or_si128(block, _mm_set1_epi8(1)), '#');       /* '"' 0x22, '#' 0x23 */
    __m128i angles = scan_equal(_mm_and_si128(block, _mm_set1_epi8((char)0xfd)), '<'); /* '<' 0x3c, '>' 0x3e */
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(outside, quote_hash), angles));
}

static inline unsigned scan_path_stops(__m128i block)
{
    __m128i more = _mm_or_si128(scan_equal(block, '?'), scan_equal(block, '\\'));
    return scan_query_stops(block) | (unsigned)_mm_movemask_epi8(more);
}

static inline unsigned scan_value_stops(__m128i block)
{
    __m128i control = scan_equal(_mm_subs_epu8(block, _mm_set1_epi8(0x1f)), 0);
    __m128i refused = _mm_or_si128(_mm_andnot_si128(scan_equal(block, '\t'), control), scan_equal(block, 0x7f));
    return (unsigned)_mm_movemask_epi8(refused);
}

/* `stops` is one of the above, inlined. */
static inline __attribute__((always_inline)) const char *scan_run(const char *at, const char *end,
                                                                  enum byte_class class, unsigned (*stops)(__m128i))
{
    for (; end - at >= SCAN_BLOCK; at += SCAN_BLOCK) {
        unsigned found = stops(_mm_loadu_si128((const __m128i *)at));
        if (found != 0)
            return at + __builtin_ctz(found);
    }
    return scan_class(at, end, class);
}

#define SCAN_RUN(at, end, class, stops) scan_run((at), (end), (class), (stops))
#else
#define SCAN_RUN(at, end, class, stops) scan_class((at), (end), (class))
#endif

/* These give the first byte that does not belong, or `end`. */

static inline const char *scan_token(const char *at, const char *end)
{
    return scan_class(SCAN_RUN(at, end, BYTE_TOKEN, scan_name_stops), end, BYTE_TOKEN);
}

static inline const char *scan_path(const char *at, const char *end)
{
    return SCAN_RUN(at, end, BYTE_PATH, scan_path_stops);
}

static inline const char *scan_query(const char *at, const char *end)
{
    return SCAN_RUN(at, end, BYTE_QUERY, scan_query_stops);
}

static inline const char *scan_value(const char *at, const char *end)
{
    return SCAN_RUN(at, end, BYTE_VALUE, scan_value_stops);
}

#undef SCAN_RUN
