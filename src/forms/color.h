#pragma once
/* Colours as a query names them (CSS Color 4, sections 5.2 and 6.1). Pure: bytes in, values out. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* 0xRRGGBB of 3 or 6 hex digits without '#', or of a name in any case. Returns false when it is none, and `*rgb` stays.
 */
bool color_parse(struct slice text, uint32_t *rgb);
/* Is black text easier to read on it than white text? */
bool color_is_light(uint32_t rgb);
