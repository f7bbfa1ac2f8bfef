#pragma once
/* One sentence for an administrator. It is carried up to whoever may print it.
 *
 * Thread: whoever owns the struct. */

#include <stdarg.h>

struct error {
    char text[512];
};

/* Writes the sentence, cut when it is too long. Returns `code`, an -errno, unchanged, so that a caller can write
 * `return error_set(err, -EINVAL, "…")`. */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
