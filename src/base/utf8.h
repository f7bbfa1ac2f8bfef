#pragma once
/* Tells which bytes are well-formed UTF-8, so that all others can be escaped.
 *
 * Thread: a pure function.
 * Source: Unicode 15, table 3-7. */

#include "base/slice.h"

/* Returns how many bytes the first character of `s` has, 1…4, or 0 when it is ill-formed, cut short or missing. */
size_t utf8_char_bytes(struct slice s);
