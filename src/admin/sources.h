#pragma once
/* What the admin pages read. That is the statistics of every part, and where the process is in its life.
 *
 * Thread: filled by main before the admin port opens. The pointers are constant from then on. */

#include <stdint.h>

#include "api/api.h"
#include "config/options.h"
#include "config/policy_watch.h"
#include "flush/flusher.h"
#include "machine/process_figures.h"
#include "net/worker.h"
#include "request/stats.h"
#include "sync/atomic.h"
#include "tally/tally.h"

enum life { LIFE_STARTING, LIFE_READY, LIFE_DRAINING };

struct ranking; /* api/ranking.h */

struct sources {
    const struct options *options;
    struct tally *tally;
    const struct flusher *flusher;
    const struct api *api;
    struct handler v1;                       /* what the api answers on this port */
    const struct policy_watch *policy_watch; /* POLICY_PARTS of them */
    struct worker *const *workers;
    uint32_t workers_count;
    uint32_t conns_max;        /* of one worker */
    uint32_t streams_max;      /* of one worker */
    uint64_t buffer_bytes_max; /* of all */
    const struct process_figures *process;
    struct ranking *ranking; /* the admin thread's */
    const char *instance;
    uint64_t recovered_hits; /* accepted by the process before, and taken over from the state file */
    bool state_copied; /* so state_lost_hits are given up because another process with the same file stores them */
    uint64_t state_lost_hits; /* accepted by the process before and given up, as they may be stored already */
    int64_t started_wall_ms;
    uint32_t life; /* enum life, written by main */
};

/* Partner: life_get() on the admin thread. Nothing else is published by it. */
static inline void life_set(struct sources *s, enum life life) { store_relaxed_u32(&s->life, (uint32_t)life); }
static inline enum life life_get(const struct sources *s) { return (enum life)load_relaxed_u32(&s->life); }
