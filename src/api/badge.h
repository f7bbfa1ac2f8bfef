#pragma once
/* A badge: "label | value" as an SVG image (SVG 1.1, XML 1.0). Pure: values in, bytes out.
 *
 * It is served to be put into pages: what is not plain text in it is escaped, so it can carry no script. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

#define BADGE_LABEL_BYTES_MAX 64

struct badge {
    struct slice label, value;       /* UTF-8; XML's own characters are escaped, bytes that are not UTF-8 replaced */
    struct slice color, label_color; /* as badge_color_valid() allows; without '#' */
};

/* 3 or 6 hex digits, or a colour's name: up to 20 letters. */
bool badge_color_valid(struct slice color);
void badge_append(struct buf *out, const struct badge *b);
