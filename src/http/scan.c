#include "http/scan.h"

enum {
    LETTER = BYTE_TOKEN | BYTE_PATH | BYTE_QUERY | BYTE_VALUE | BYTE_HOST,
    DIGIT = LETTER | BYTE_DIGIT | BYTE_HEX,
    HEX_LETTER = LETTER | BYTE_HEX,
    TARGET = BYTE_PATH | BYTE_QUERY | BYTE_VALUE,
    TARGET_TOKEN = TARGET | BYTE_TOKEN,
    TARGET_HOST = TARGET | BYTE_HOST,
};

/* Every byte once, with all it may be; the rest (controls, DEL) may be nothing. */
const uint8_t byte_classes[256] = {
    ['0' ... '9'] = DIGIT,
    ['A' ... 'F'] = HEX_LETTER,
    ['G' ... 'Z'] = LETTER,
    ['a' ... 'f'] = HEX_LETTER,
    ['g' ... 'z'] = LETTER,

    /* RFC 3986: unreserved and sub-delims make a reg-name; tokens take some of them. */
    ['-'] = LETTER,
    ['.'] = LETTER,
    ['_'] = LETTER,
    ['~'] = LETTER,
    ['!'] = LETTER,
    ['$'] = LETTER,
    ['%'] = TARGET_TOKEN,
    ['&'] = LETTER,
    ['\''] = LETTER,
    ['*'] = LETTER,
    ['+'] = LETTER,
    ['('] = TARGET_HOST,
    [')'] = TARGET_HOST,
    [','] = TARGET_HOST,
    [';'] = TARGET_HOST,
    ['='] = TARGET_HOST,

    /* RFC 3986: the gen-delims that a path or query may have. */
    ['/'] = TARGET,
    [':'] = TARGET,
    ['@'] = TARGET,
    ['['] = TARGET,
    [']'] = TARGET,
    ['?'] = BYTE_QUERY | BYTE_VALUE,

    /* Not in RFC 3986, but browsers send them as they are (target.h). */
    ['^'] = TARGET_TOKEN,
    ['`'] = TARGET_TOKEN,
    ['|'] = TARGET_TOKEN,
    ['{'] = TARGET,
    ['}'] = TARGET,
    ['\\'] = BYTE_QUERY | BYTE_VALUE,

    ['#'] = BYTE_TOKEN | BYTE_VALUE,
    ['"'] = BYTE_VALUE,
    ['<'] = BYTE_VALUE,
    ['>'] = BYTE_VALUE,
    [' '] = BYTE_VALUE,
    ['\t'] = BYTE_VALUE,
    [0x80 ... 0xff] = BYTE_VALUE,
};
