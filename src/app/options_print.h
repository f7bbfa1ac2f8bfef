#pragma once
/* The option table as people read it. Secrets are never printed, only whether they are set. */

#include "app/options.h"

void options_print_help(struct buf *out);     /* grouped, 80 columns */
void options_print_markdown(struct buf *out); /* the table in README.md */
/* The effective options as a configuration file, each with its origin as a comment. */
void options_print_effective(const struct options *o, struct buf *out);
