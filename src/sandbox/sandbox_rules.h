#pragma once
/* Calls that the filter allows with some arguments only.
 *
 * Thread: main. */

#include <seccomp.h>

#include "config/options.h"

/* Returns 0 or -errno. What no rule allows is refused by the filter's default. */
int sandbox_rules_add(scmp_filter_ctx ctx, const struct options *o);
