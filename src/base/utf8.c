#include "base/utf8.h"

/* The second byte is what excludes overlong forms, surrogates and everything past U+10FFFF. */
static bool second_byte_valid(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0 && second <= 0xbf;
    case 0xed: return second >= 0x80 && second <= 0x9f;
    case 0xf0: return second >= 0x90 && second <= 0xbf;
    case 0xf4: return second >= 0x80 && second <= 0x8f;
    default: return second >= 0x80 && second <= 0xbf;
    }
}

static size_t bytes_announced(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_char_bytes(struct slice s)
{
    size_t bytes = s.bytes ? bytes_announced((uint8_t)s.at[0]) : 0;

    if (bytes > s.bytes || (bytes > 1 && !second_byte_valid((uint8_t)s.at[0], (uint8_t)s.at[1])))
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if (((uint8_t)s.at[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}
