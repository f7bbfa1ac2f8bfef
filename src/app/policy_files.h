#pragma once
/* The policy's files: read at the start, and again on SIGHUP and when one of them has changed.
 *
 * Thread: main. */

#include <stdbool.h>
#include <time.h>

#include "api/policy.h"
#include "app/options.h"
#include "base/error.h"

#define POLICY_FILES 3

struct app;

/* 0 with NULL when no option asks for a policy; or -errno with a sentence that names the file, and nothing of it. */
int policy_load(struct policy **out, const struct options *o, struct error *err);

/* ---- a step of the start ---- */
int policy_start(struct app *a, struct error *err);
void policy_stop(struct app *a);
/* About once a second. What cannot be read is said once, and the policy stays as it was. */
void policy_tick(struct app *a, bool asked);
