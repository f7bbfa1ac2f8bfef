#include "forms/count_text.h"

bool count_format_parse(struct slice text, enum count_format *format)
{
    bool is_short = slice_equals(text, SLICE("short")), is_grouped = slice_equals(text, SLICE("grouped"));
    if (is_short || is_grouped)
        *format = is_short ? COUNT_SHORT : COUNT_GROUPED;
    return is_short || is_grouped;
}

static void short_append(struct buf *out, uint64_t count)
{
    static const char units[] = {'\0', 'k', 'M', 'G', 'T', 'P', 'E'};
    unsigned power = 0;
    uint64_t unit = 1;
    while (count / unit >= 1000) {
        unit *= 1000;
        power++;
    }
    unsigned tenth = power > 0 ? (unsigned)(count % unit / (unit / 10)) : 0;
    buf_append_u64(out, count / unit);
    if (tenth > 0)
        buf_printf(out, ".%u", tenth);
    buf_append(out, &units[power], power > 0);
}

static void grouped_append(struct buf *out, uint64_t count)
{
    char digits[BUF_DIGITS_MAX];
    size_t bytes = (size_t)(buf_put_u64(digits, count) - digits);
    for (size_t i = 0; i < bytes; i++) {
        buf_append(out, ",", i > 0 && (bytes - i) % 3 == 0);
        buf_append(out, &digits[i], 1);
    }
}

void count_append(struct buf *out, int64_t count, enum count_format format)
{
    uint64_t size = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    buf_append(out, "-", count < 0);
    switch (format) {
    case COUNT_DIGITS: buf_append_u64(out, size); break;
    case COUNT_SHORT: short_append(out, size); break;
    case COUNT_GROUPED: grouped_append(out, size); break;
    }
}
