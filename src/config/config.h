#pragma once
/* A configuration file has lines of "name = value". '#' begins a comment at the start of a line or after a blank. Empty
 * lines are skipped, and blanks around name and value do not count.
 *
 * Thread: main. */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Reads a whole file of at most `bytes_max` into `*out`, which has a NUL at its end and is the caller's to free(3).
 * Returns 0, or -errno with a sentence. It is -EFBIG when the file is larger, -EILSEQ when it holds a NUL byte. */
int file_read(const char *path, size_t bytes_max, char **out, struct error *err);

struct config_line {
    uint32_t number;
    const char *name, *value; /* point into the text, which is cut up in place */
};

enum config_result { CONFIG_LINE, CONFIG_END, CONFIG_BAD /* line->number has no "name = value" */ };

/* Takes the next line of `*rest`. line->number is 0 at the start. */
enum config_result config_next(char **rest, struct config_line *line);
