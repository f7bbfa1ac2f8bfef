#pragma once
/* The policy's files. They are read at the start, and again on SIGHUP and when one of them has changed. Each is taken
 * by itself, whole or not at all. When one cannot be, what was read of it before stays in force, and the others go on.
 *
 * Thread: main. */

#include <stdbool.h>

#include "base/error.h"
#include "config/policy_watch.h"

struct app;

/* Returns 0, with NULL when no option asks for a policy, or -errno with a sentence that names the file and nothing of
 * it. */
int policy_load(struct policy **out, const struct options *o, struct error *err);

/* ---- a step of the start ---- */
int policy_start(struct app *a, struct error *err);
void policy_stop(struct app *a);
/* Called about once a second. What cannot be read is said once. */
void policy_tick(struct app *a, bool asked);
