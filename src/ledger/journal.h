#pragma once
/* What one partition must not forget when its process dies: who it is, what was acknowledged last, how many hits the
 * batches before carried, and the batch whose fate is open (DESIGN 4.4). It lies in the state file, in memory of a
 * fixed size.
 *
 * Thread: the flusher's. Main's at start.
 * Happy path, for each batch:
 *   journal_intend()       the record goes into the slot that is free, then one word makes it the valid one
 *   (send, EXEC answered, baselines moved)
 *   journal_acknowledge()  likewise says who we are and what the ledger holds. All records so far are resolved
 * A step of a move from one copy of the store to another (ledger/moves.h) is a record too, of baselines alone. It is
 * never sent, and the next process does it to its end.
 *
 * A kill between any two stores leaves the old or the new of both. Redo is idempotent, because a record says from what
 * to what each cell's baseline moves, not by how much.
 *
 * Failure modes: journal_read() trusts nothing. Each record and each acknowledgement has a CRC-32C, and the words that
 * choose among them have a seal. A damaged acknowledgement costs no more than what it says of batches before. The last
 * record says who and what came before it, and is taken as open. A damaged record of an open batch is the end of the
 * identity (JOURNAL_LOST). */

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "owed/batch.h"
#include "owed/env.h"

/* A cell's move. `cell` is its shard << 32 | its number. With JOURNAL_TOTAL it is not the cell that moves, but the
 * total of its namespace (owed/sums.h). A batch moves it by to - from in the store. A step moves what is owed by as
 * much. */
#define JOURNAL_TOTAL (UINT64_C(1) << 63)
struct journal_part {
    uint64_t cell, from, to;
};
static inline bool journal_part_is_total(const struct journal_part *p) { return p->cell & JOURNAL_TOTAL; }
static inline uint32_t journal_part_shard(const struct journal_part *p)
{
    return (uint32_t)((p->cell & ~JOURNAL_TOTAL) >> 32);
}
static inline uint32_t journal_part_cell(const struct journal_part *p) { return (uint32_t)p->cell; }

enum journal_kind {
    JOURNAL_BATCH,
    JOURNAL_WRITE,     /* a batch that also sets or deletes its key */
    JOURNAL_REPLACING, /* the record before is open, too, and this empty batch is to make it impossible */
    JOURNAL_STEP,      /* from the batch `acked` to `ledger`, the one before or behind it */
};

struct journal_record {
    uint64_t generation;  /* 1, 2, … Its slot is the lowest bit */
    struct ledger ledger; /* of the batch */
    struct ledger acked;  /* before it */
    char instance[40];    /* UUID */
    struct ledger goal;   /* where the move of a step goes */
    uint64_t hits;        /* of the batch that a step leaves or enters */
    uint32_t kind;        /* enum journal_kind */
    uint32_t parts_count;
    uint32_t sum; /* crc32c of all before and of the parts */
    uint32_t unused;
    /* In the order of the batch. An item is a run of parts with one name. Totals come last. */
    struct journal_part parts[];
};

/* The end of another branch of the history, which another copy of the store shows if it comes back. */
struct journal_tip {
    struct ledger ledger;
    uint64_t fork_seq; /* the last batch that it shares with ours, or 0 when there is none or it is not known */
    uint64_t hits;     /* since then */
};

/* The last batches that were stored, the oldest first. If the server forgets them after this process has died, the next
 * one can say how many hits are lost. */
#define JOURNAL_STORED_MAX 16
#define JOURNAL_TIPS_MAX 8
/* What the total of a namespace lacks in the store (owed/sums.h). */
struct journal_owed {
    char ns[NAME_NS_BYTES_MAX];
    uint32_t ns_bytes;
    uint32_t unused;
    int64_t owed;
};
#define JOURNAL_OWED_MAX 16
struct journal_stored {
    struct ledger_entry entries[JOURNAL_STORED_MAX];
    struct journal_tip tips[JOURNAL_TIPS_MAX];
    struct journal_owed owed[JOURNAL_OWED_MAX];
    uint32_t count, tips_count, owed_count, unused;
};

struct journal_ack {
    uint64_t number;   /* 1, 2, … Its slot is the lowest bit */
    uint64_t resolved; /* every record up to this generation is */
    struct ledger acked;
    struct journal_stored stored;
    char instance[40];
    uint32_t sum; /* crc32c of all before */
    uint32_t unused;
};

struct journal {
    struct journal_head *head; /* in the state file. When NULL there is none, and every call does nothing */
    const struct env *env;
    uint32_t bytes, parts_max;
    uint64_t generation, ack;
};

/* How much memory a journal takes, in whole pages. */
uint32_t journal_bytes(uint32_t parts_max);
/* How many parts a batch may have, so that it fits the journal. A key has at most one cell of each worker, and
 * each namespace with a total one more. */
static inline uint32_t journal_parts_max(uint32_t batch_keys_max, uint32_t workers)
{
    return 2 * batch_keys_max + workers + SUMS_NAMESPACES_MAX;
}

/* Begins on zeroed memory, or goes on with what this version wrote. When `area` is NULL there is no journal. */
void journal_open(struct journal *j, void *area, uint32_t bytes, const struct env *env);

struct journal_batch {
    struct ledger ledger, acked;
    const char *instance;
    enum journal_kind kind;
    struct ledger goal; /* of a step, as `hits` */
    uint64_t hits;
    const struct journal_part *parts;
    uint32_t parts_count;
};
void journal_intend(struct journal *j, const struct journal_batch *b);
void journal_acknowledge(struct journal *j, const char *instance, const struct ledger *acked,
                         const struct journal_stored *stored);

enum journal_verdict {
    JOURNAL_WHOLE,
    JOURNAL_LOST, /* a batch may have been sent, and it is not known which */
};

struct journal_view {
    char instance[40]; /* empty when damage took it, and nothing is open */
    struct ledger acked;
    const struct journal_stored *stored;   /* in the journal's memory, or `moved`. NULL when damage took it */
    const struct journal_record *batch;    /* open, or NULL. In the journal's memory */
    const struct journal_record *replaced; /* open too, or NULL */
    const struct journal_record *step;     /* to be done to its end, or NULL. `acked` and `stored` are as behind it */
    struct journal_stored moved;
    bool damaged; /* something was, whatever the verdict */
};

/* `area` is all of it, as it was written. Zeroes (a hole) are JOURNAL_LOST. */
enum journal_verdict journal_read(struct slice area, struct journal_view *out);
