#pragma once
/* Questions from workers to the flusher: "what does the store hold for these names?", "is this stored yet?",
 * "write this", "which names are there?".
 *
 * A worker makes a read_op, pushes it into its request queue (spsc) and wakes the flusher; the flusher
 * asks the store (GETRANGE, on the partition's link, in order with the batches), fills `results` and pushes it
 * into the worker's answer queue and wakes the worker. Ownership travels with the pointer, so a worker
 * that no longer needs the answer just frees it when it comes back. Every op comes back: flusher_drain() answers
 * what is left with READ_FAILED, and main collects that in place of the workers it has joined. Names that this process
 * counts are published to totals as well. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/name.h"
#include "tally/tally.h"

#define READ_OP_NAMES_MAX 1024

enum ask_kind {
    ASK_READ,
    ASK_SET,    /* write results[0].stored to the one name (ledger/writes.h) */
    ASK_DELETE, /* remove the one name */
    ASK_SCAN,   /* a page of names with their values, into `scan`; no names are given */
    ASK_STORED, /* "tell me when `mark` is stored": no names; done says whether it was, by the deadline */
};

enum read_state {
    READ_ASKED,
    READ_FOUND,
    READ_MISSING,
    READ_FAILED, /* store not reachable: told at once; or not an integer. Of a write: not done */
    READ_UNKNOWN /* of a write: in doubt */
};

struct read_result {
    char name[NAME_BYTES_MAX];
    uint16_t name_bytes;
    uint8_t state; /* enum read_state */
    int64_t stored;
};

struct read_op {
    enum ask_kind kind;
    bool done;
    struct tally_mark mark;
    struct scan *scan;            /* of ASK_SCAN (ledger/scan.h), owned: goes with the op, by who frees that */
    uint32_t worker;              /* whose */
    uint32_t count;               /* at most READ_OP_NAMES_MAX */
    uint64_t deadline_ms;         /* monotonic; unanswered by then: READ_FAILED */
    void *owner;                  /* the asker's own */
    struct read_op *next;         /* the flusher's, while it has the op */
    uint32_t unanswered;          /* likewise */
    struct read_result results[]; /* count of them */
};
