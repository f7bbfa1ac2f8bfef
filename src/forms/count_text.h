#pragma once
/* A count as text for people. Pure: values in, bytes out. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum count_format {
    COUNT_DIGITS,  /* 246912345 */
    COUNT_SHORT,   /* 246.9M, with at most one decimal, which is cut and not rounded, so that it never says more than
                      there is */
    COUNT_GROUPED, /* 246,912,345 */
};

/* Reads "short" or "grouped". Returns false when it is neither, and `*format` stays. */
bool count_format_parse(struct slice text, enum count_format *format);
void count_append(struct buf *out, int64_t count, enum count_format format);
