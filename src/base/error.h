#pragma once
/* One sentence for an administrator, carried up to whoever may print it. */

#include <stdarg.h>

struct error {
    char text[512];
};

/* Writes the sentence (truncated when too long) and returns `code` (an -errno) unchanged,
 * so that callers can write: return error_set(err, -EINVAL, "…"). */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
