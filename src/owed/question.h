#pragma once
/* What a worker asks the flusher: "what does the store hold for these names?", "is this stored yet?", "write this",
 * "which names are there?".
 *
 * Thread: whoever holds the pointer. Ownership travels with it: the worker makes a question and leaves it in the
 * mailbox (flush/mailbox.h), the flusher answers it and hands it back, and the worker frees it. A worker that does not
 * need the answer any more frees it when it comes.
 *
 * Happy path: reads go to nodes/read_queue.h, writes to owed/writes.h, walks to nodes/scanner.h, and who waits until
 * a hit is stored to flush/stored_waits.h. Each of them ends in asker_answer(). What is read of a name that this
 * process counts is also published to the totals.
 *
 * Failure modes: every question is answered, at its deadline at the latest. When the flusher ends it answers what is
 * left with ANSWER_FAILED, and main collects that in place of the workers it has joined. */

#include <stdbool.h>
#include <stdint.h>

#include "tally/name.h"
#include "tally/tally.h"
#include "tally/tops.h"

#define QUESTION_NAMES_MAX 1024
#define TOP_RESULTS_MAX TOPS_KEPT /* names that an answer to ASK_TOP has at most */

enum question_kind {
    ASK_READ,   /* what each name holds */
    ASK_SET,    /* write results[0].stored to the one name */
    ASK_DELETE, /* remove the one name */
    ASK_SCAN,   /* a page of names with their values, into `scan`. No names are given */
    ASK_TOTAL,  /* what the namespace in results[0] holds in each partition, with a result for each: into `total` */
    ASK_TOP, /* Which `limit` keys of the namespace in results[0] are the highest, or some more. With a result for each
              * partition and as many as TOP_RESULTS_MAX. `count` becomes how many there are, and in `done` is
              * whether they are known. */
    ASK_STORED, /* wait until `mark` is stored, and say in `done` whether it was by the deadline. No names are given */
};

enum answer_state {
    ANSWER_OPEN,
    ANSWER_FOUND,    /* a write is done */
    ANSWER_MISSING,  /* there is no such key */
    ANSWER_FAILED,   /* the store cannot be reached, or the key holds no integer. A write is not done */
    ANSWER_IN_DOUBT, /* a write may be done or not */
};

/* A name, and the answer to it. */
struct answer {
    char name[NAME_BYTES_MAX];
    uint16_t name_bytes;
    uint8_t state; /* enum answer_state */
    int64_t stored;
};

/* Of a namespace. */
#define TOTAL_NONE INT64_MIN /* the `value` of one that came too late to have a total (owed/sums.h) */
struct read_total {
    int64_t value; /* stored, and what this process has pending. Or TOTAL_NONE */
    uint64_t pending;
    uint64_t as_of_ms; /* monotonic, of the oldest that the store said */
    bool known;        /* the store's share is in it */
    bool found;        /* something was counted there once */
    bool refused;      /* the store refuses its number */
};

struct question {
    enum question_kind kind;
    bool done;
    struct tally_mark mark;
    struct read_total total;
    uint64_t since_ms;       /* monotonic. For ASK_TOTAL, what the store said since is new enough */
    uint32_t limit;          /* of ASK_TOP */
    struct scan *scan;       /* of ASK_SCAN (owed/scan.h), and of ASK_TOP what the sets say. Or NULL. Whoever frees the
                                question frees it */
    uint32_t worker;         /* who asks */
    uint32_t count;          /* of `results`, QUESTION_NAMES_MAX at most */
    uint64_t deadline_ms;    /* monotonic */
    void *owner;             /* the worker's own */
    struct question *next;   /* the flusher's, while it has the question */
    uint32_t unanswered;     /* likewise */
    struct answer results[]; /* count of them */
};

/* Where a question goes when it is answered. It is not the flusher's any more then. */
struct asker {
    void (*answered)(void *ctx, struct question *question);
    void *ctx;
};

static inline void asker_answer(const struct asker *a, struct question *question) { a->answered(a->ctx, question); }
