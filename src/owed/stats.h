#pragma once
/* The flusher's books and statistics.
 *
 * Thread: the flusher writes (stat_add() and store_relaxed_u64() of sync/atomic.h), and any thread reads. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/node_names.h"
#include "protocol/redis_error.h"
#include "sync/histogram.h"

/* One consistent reading, taken under a sequence lock after every step of the flusher. It counts hits, not keys.
 * accepted = stored + in_flight + pending + poisoned + lost. */
struct flusher_books {
    uint64_t stored;    /* acknowledged by the store. Below 0, modulo 2^64, when it forgot hits of the run before */
    uint64_t in_flight; /* in a batch that is not resolved */
    uint64_t poisoned;  /* of keys that the store refuses, kept aside and tried again now and then */
    uint64_t lost;      /* stored and then forgotten by the store (rollback), or given up (see below) */
    /* Not in the sum. The store acknowledged so many since the start and then forgot them. They are pending again, or
     * lost. stored + rolled_back never goes down. */
    uint64_t rolled_back;
};

/* Into how many partitions is the data set cut? */
enum data_cut { CUT_UNKNOWN, CUT_AGREES, CUT_DIFFERS };

struct flusher_stats {
    uint64_t flushes, batches, batches_retried, batches_reconciled_applied, commands, bytes_out, bytes_in;
    uint64_t reconnects, link_errors, alarms, replayed_hits;
    uint64_t given_up_hits;        /* part of `lost`. Another process has a copy of our state file, and stores them */
    uint64_t doubled_hits_at_most; /* pending when another process was found to write under our identity. If it is our
                                    * clone, it may have stored them, too */
    uint64_t unproved_hits;        /* Their ledger was gone, so nobody can tell whether the store has them */
    /* their sum is `alarms` */
    uint64_t alarms_identity_taken, alarms_ledger_missing, alarms_rollback, alarms_partitions_differ;
    uint64_t errors_by_class[32]; /* by enum redis_error_class */
    uint64_t keys_poisoned, keys_dirty, keys_forgotten;
    uint64_t namespaces_late;   /* counted without a total (owed/sums.h) */
    uint64_t totals_owed;       /* numbers of the store that lack hits or have too many */
    uint64_t last_flush_ms;     /* monotonic, end of the last batch that was stored */
    uint64_t flush_duration_us; /* of the last */
    struct histogram flush_time;
    uint64_t masters;          /* of the cluster, at most as many as partitions. 0: not known yet, or no cluster */
    uint64_t backlog_since_ms; /* monotonic, of the flush that first found what is still not stored, or 0 */
    uint64_t partitions_found; /* what the data set says, when `cut` is CUT_DIFFERS */
    uint32_t cut;              /* enum data_cut, written last */
    bool connected;            /* all partitions */
    struct node_names node_names;
};

_Static_assert(REDIS_ERROR_COUNT <= 32, "errors_by_class holds every class");
