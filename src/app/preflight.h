#pragma once
/* What --check finds beyond the options themselves: whatever of the world the start would stumble over, tried without
 * leaving a trace, so that it may run beside a tallyd that serves with the same options. Not tried: whether a port or
 * a state directory is in use (it may be by the process that is to be replaced), whether the store answers, and
 * --allow-root, since who checks need not be who runs.
 *
 * Thread: main. */

#include "app/options.h"

/* 0, or -errno with a sentence. */
int preflight(const struct options *o, struct error *err);
