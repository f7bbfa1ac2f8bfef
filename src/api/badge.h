#pragma once
/* A badge: "label | value" as an SVG image (SVG 1.1, XML 1.0). Pure: values in, bytes out.
 *
 * It is served to be put into pages: what is not plain text in it is escaped, so it can carry no script. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define BADGE_LABEL_BYTES_MAX 64

struct badge {
    struct slice label, value;   /* UTF-8; XML's own characters are escaped, bytes that are not UTF-8 replaced; a label
                                  * may be empty, and then has no half of the badge */
    uint32_t color, label_color; /* 0xRRGGBB, of the value's half and the label's; text on a light one is dark */
};

/* Plain text: UTF-8 without control bytes, at most BADGE_LABEL_BYTES_MAX bytes. */
bool badge_label_valid(struct slice label);
void badge_append(struct buf *out, const struct badge *b);
