#pragma once
/* Which I/O engine serves. All threads have the same, the best one of which every thread can open its own.
 *
 * Thread: main, at the start. */

#include "app/app.h"

/* A step of the start. Asks the kernel by a ring of its own. Returns 0, or -errno when --io uring cannot be had. */
int engine_choose(struct app *a, struct error *err);
/* Finds how many workers there are, which is as many as CPUs, or as were asked for. */
void workers_count(struct app *a);
/* As descriptors_start(), without a word in the log. */
int descriptors_fit(struct app *a, struct error *err);
/* A step of the start. Finds for how many connections the engine has descriptors. Returns 0, or -EMFILE for too few. */
int descriptors_start(struct app *a, struct error *err);
/* A thread could not open its engine (`result`, -errno). Changes a->engine and a->small_rings to what is to be tried
 * next. Smaller rings come first, then epoll. Returns `result` when nothing is left or --io forbids it, else 0. */
int engine_give_way(struct app *a, int result, struct error *err);
/* Called when all threads have opened theirs. Logs one line when that is less than was hoped for. */
void engine_settled(const struct app *a);
