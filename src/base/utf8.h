#pragma once
/* Which bytes are well-formed UTF-8 (Unicode 15, table 3-7): for escaping whatever is not. */

#include "base/slice.h"

/* Bytes of the character that `s` starts with: 1…4; 0 when ill-formed, cut short or empty. */
size_t utf8_char_bytes(struct slice s);
