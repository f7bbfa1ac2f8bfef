#pragma once
/* What no option can know of itself, which of them contradict, need or misspell each other. --check says it, too.
 *
 * Thread: main. */

#include "config/options.h"

/* Returns 0, or -EINVAL with a sentence. */
int options_agree(const struct options *o, struct error *err);
