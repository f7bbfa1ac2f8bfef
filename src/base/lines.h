#pragma once
/* The lines of a file of rules. A missing line would open what it guarded, so a text is taken whole or not at all.
 *
 * Thread: any. All state is the caller's. */

#include <stdint.h>

#include "base/error.h"

/* Checks that a text may be read line by line. It must not be empty, must be UTF-8 without control bytes other than tab
 * and line ends, and its last line must have its end. Returns 0, or -EINVAL with a sentence that holds nothing of the
 * text. */
int lines_check(const char *text, struct error *err);

struct lines {
    char *rest;      /* begins as the text, which is cut up in place */
    unsigned number; /* of the line that lines_next() returned last, from 1 */
};

/* Returns the next line without the blanks around it, or NULL at the end. Skips empty lines, and those that begin with
 * '#'. */
char *lines_next(struct lines *l);
