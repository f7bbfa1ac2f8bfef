#pragma once
/* The option table as people read it. Of a secret only whether it is set is printed.
 *
 * Thread: any. Errors are those of the buffer (base/buf.h). */

#include "config/options.h"

void options_print_help(struct buf *out);     /* grouped, 80 columns */
void options_print_markdown(struct buf *out); /* the table in README.md */
/* Prints the effective options as a configuration file, each with its origin as a comment. */
void options_print_effective(const struct options *o, struct buf *out);
