#pragma once
/* A configuration file: lines of "name = value". '#' begins a comment at the start of a line or after a
 * blank; empty lines are skipped; blanks around name and value do not count. */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Reads a whole file of at most `bytes_max` into `*out` (owned by the caller, NUL-terminated; free()).
 * 0, or -errno with the sentence in `err`: -EFBIG when it is larger, -EILSEQ when it holds a NUL byte. */
int file_read(const char *path, size_t bytes_max, char **out, struct error *err);

struct config_line {
    uint32_t number;
    const char *name, *value; /* point into the text, which is cut up in place */
};

enum config_result { CONFIG_LINE, CONFIG_END, CONFIG_BAD /* line->number has no "name = value" */ };

/* The next line of `*rest`. Start with line->number 0. */
enum config_result config_next(char **rest, struct config_line *line);
