#pragma once
/* What the store said lately of names that this process does not count. "No such key" is an answer, too.
 *
 * Thread: the flusher writes, in the order of the answers, before it hands them to whoever asked. Any thread reads. So
 * no reader sees an older answer than another has seen before.
 * Names are told apart by a keyed hash of 64 bits. Of four that share a set the oldest answer is forgotten first. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct answers;

struct stored_answer {
    int64_t stored;
    bool found;     /* whether there is such a key */
    uint64_t at_ms; /* monotonic */
};

int answers_create(struct answers **out); /* 0 or -errno */
void answers_destroy(struct answers *a);  /* NULL is allowed */

/* ---- flusher ---- */
void answers_put(struct answers *a, struct slice name, const struct stored_answer *answer);

/* ---- any thread ---- */
/* Returns false when nothing was said of the name since `since_ms`. */
bool answers_find(const struct answers *a, struct slice name, uint64_t since_ms, struct stored_answer *out);
