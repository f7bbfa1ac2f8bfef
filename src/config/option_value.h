#pragma once
/* From the text of one option to its value.
 *
 * Thread: main. */

#include "config/options.h"

/* Sets the option's field. Returns 0, or -EINVAL and what is wrong, without the option's name and origin. */
int option_value_set(struct options *o, const struct option *option, const char *text, struct error *err);
