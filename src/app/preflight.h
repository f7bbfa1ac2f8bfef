#pragma once
/* What --check finds beyond the options themselves. It tries what the start would stumble over, and leaves no trace, so
 * it may run beside a tallyd that serves with the same options.
 *
 * Thread: main.
 * It does not try whether a port or a state directory is in use, which it may be by the process that is to be replaced,
 * nor whether the store answers. It ignores --allow-root, since who checks need not be who runs. */

#include "config/options.h"

/* Returns 0, or -errno with a sentence. */
int preflight(const struct options *o, struct error *err);
