#pragma once
/* Says in the log when a limit is at its end, at most one line a minute for each limit.
 *
 * Thread: main. */

#include "admin/sources.h"

enum { LIMITS_WATCHED = 8 };

struct limits_watch {
    uint64_t seen[LIMITS_WATCHED];    /* how often it had been reached at the last line */
    uint64_t said_ms[LIMITS_WATCHED]; /* 0 when it never was */
};

/* Called about once a second. */
void limits_tick(struct limits_watch *w, const struct sources *s, uint64_t now_ms);
