#pragma once
/* A badge is "label | value" as an SVG image (SVG 1.1, XML 1.0). Pure: values in, bytes out.
 *
 * It is made to be put into pages, so what is not plain text in it is escaped, and it can carry no script. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define BADGE_LABEL_BYTES_MAX 64

struct badge {
    /* XML's own characters are escaped, and bytes that are not UTF-8 are replaced. An empty label has no half of the
     * badge. */
    struct slice label, value;
    uint32_t color, label_color; /* 0xRRGGBB, of the value's half and the label's. Text on a light one is dark */
};

/* Is it UTF-8 without control bytes, and of at most BADGE_LABEL_BYTES_MAX bytes? */
bool badge_label_valid(struct slice label);
void badge_append(struct buf *out, const struct badge *b);
