#pragma once
/* The lines of a file of rules, where a missing line opens what it guarded. So a text is taken whole or not at all.
 *
 * Thread: any; no state but the caller's. */

#include <stdint.h>

#include "base/error.h"

/* Checks that a text may be read line by line: it is not empty, it is UTF-8 without control bytes other than tab and
 * line ends, and its last line has its end. Returns 0, or -EINVAL with a sentence that holds nothing of the text. */
int lines_check(const char *text, struct error *err);

struct lines {
    char *rest;      /* start with the text; it is cut up in place */
    unsigned number; /* of the line that lines_next() returned last, from 1 */
};

/* Returns the next line that says something, without the blanks around it; NULL at the end. Empty lines, and those that
 * begin with '#', are skipped. */
char *lines_next(struct lines *l);
