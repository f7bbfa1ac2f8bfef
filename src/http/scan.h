#pragma once
/* What each byte may be, and how far a run of such bytes reaches. Internal to http/.
 *
 * Thread: pure functions.
 * The table is the definition. The scans are its fast form (base/block.h). */

#include <stdint.h>

#include "base/block.h"

enum byte_class {
    BYTE_TOKEN = 1, /* tchar, RFC 9110 section 5.6.2 */
    BYTE_PATH = 2,  /* of a request target before '?', see http/target.h */
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
    return run_by_table(at, end, byte_classes, class);
}

#ifdef __SSE2__

/* Each returns one bit per byte that ends the run. */

/* Bytes other than letters and '-': all that most names have. What is left is for the table to decide. */
static inline unsigned scan_name_stops(block b)
{
    return ~block_bits(block_or(block_letters(b), block_equal(b, '-'))) & 0xffff;
}

/* Bytes other than letters, digits, '-' and '.': all that most hosts have. What is left is for the table to decide. */
static inline unsigned scan_host_stops(block b) { return ~block_bits(block_labels(b)) & 0xffff; }

/* Controls, space, DEL and all from 0x80: moved by one, DEL joins those that are negative. */
static inline block scan_invisible(block b) { return _mm_cmplt_epi8(_mm_add_epi8(b, block_of(1)), block_of(0x22)); }

static inline unsigned scan_query_stops(block b)
{
    block quote_hash = block_equal(block_or(b, block_of(1)), '#');           /* '"' 0x22, '#' 0x23 */
    block angles = block_equal(_mm_and_si128(b, block_of((char)0xfd)), '<'); /* '<' 0x3c, '>' 0x3e */
    return block_bits(block_or(block_or(scan_invisible(b), quote_hash), angles));
}

static inline unsigned scan_path_stops(block b)
{
    block odd = block_or(b, block_of(1));
    block pairs = block_or(block_equal(odd, '#'), block_equal(odd, '?')); /* '"' and '#', '>' 0x3e and '?' 0x3f */
    block singles = block_or(block_equal(b, '<'), block_equal(b, '\\'));
    return block_bits(block_or(block_or(scan_invisible(b), pairs), singles));
}

static inline unsigned scan_value_stops(block b)
{
    block control = block_equal(_mm_subs_epu8(b, block_of(0x1f)), 0);
    return block_bits(block_or(_mm_andnot_si128(block_equal(b, '\t'), control), block_equal(b, 0x7f)));
}

#endif

/* These give the first byte that does not belong, or `end`. */

static inline const char *scan_token(const char *at, const char *end)
{
    return scan_class(RUN_END(at, end, byte_classes, BYTE_TOKEN, scan_name_stops), end, BYTE_TOKEN);
}

static inline const char *scan_host(const char *at, const char *end)
{
    return scan_class(RUN_END(at, end, byte_classes, BYTE_HOST, scan_host_stops), end, BYTE_HOST);
}

static inline const char *scan_path(const char *at, const char *end)
{
    return RUN_END(at, end, byte_classes, BYTE_PATH, scan_path_stops);
}

static inline const char *scan_query(const char *at, const char *end)
{
    return RUN_END(at, end, byte_classes, BYTE_QUERY, scan_query_stops);
}

static inline const char *scan_value(const char *at, const char *end)
{
    return RUN_END(at, end, byte_classes, BYTE_VALUE, scan_value_stops);
}
