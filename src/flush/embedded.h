#pragma once
/* Embedded mode, which has no store but this process, so that the same interface works with nothing beside it.
 *
 * Thread: the flusher's. */

#include "owed/accounts.h"
#include "owed/question.h"
#include "owed/scan.h"

/* All that is dirty becomes stored, here. */
void embedded_store(struct accounts *a, uint64_t now_ms);
void embedded_read(struct keys *keys, struct question *question);
/* A page of names (owed/scan.h), from the cells. Its values are those that anybody may read. */
void embedded_scan(const struct tally *t, struct scan *s);
