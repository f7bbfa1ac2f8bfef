#pragma once
/* How the flush is configured. There is one such struct. app/ fills it, and everything from the flusher down to a chain
 * points to it.
 *
 * Thread: written by main before the flusher is created, then read only. It outlives all who point to it. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/ledger.h"

struct flush_options {
    const struct redis_access *redis; /* redis/access.h. NULL in embedded mode, where there is no store but ourselves */
    uint32_t partitions;              /* of a cluster, of which `redis` is any node. 0 of a single server */
    const char *prefix;               /* of all keys, "tally:" */
    const char *instance;             /* UUID. A partition whose journal has another one keeps that */
    uint32_t flush_interval_ms;
    uint32_t flush_interval_max_ms; /* So long may a key with few hits wait for more. With 0 it does not */
    /* Keys in a transaction, 2000. It must not shrink between two runs. A larger batch that was under way is not taken
     * over from the state file, and its hits are lost (recovery/recovery.c). */
    uint32_t batch_keys_max;
    enum ledger_loss on_ledger_loss;
    uint64_t replay_window_ms;      /* With 0 what the store forgets is lost */
    bool totals;                    /* of namespaces are kept (owed/sums.h) */
    const char *tops;               /* Namespaces with highest keys (tally/tops.h), with commas. NULL or "" without */
    uint32_t tops_kept;             /* so many in each partition. With 0 TOPS_KEPT */
    uint64_t key_idle_ms;           /* Keys are forgotten after that. With 0 never */
    const struct state_file *state; /* committed, or NULL */
};

static inline bool flush_is_embedded(const struct flush_options *o) { return !o->redis; }
