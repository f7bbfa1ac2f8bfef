#pragma once
/* The highest keys of chosen namespaces, as far as this process knows them (DESIGN 4.6).
 *
 * Thread: the flusher's.
 * The store has a sorted set for each such namespace and partition, with twice as many as TOPS_KEPT. What a batch adds
 * to a key tells its total. A total that is among the TOPS_KEPT highest known here is offered. It is DUE until the next
 * batch of the partition takes it along (owed/batch_tops.c), SENT while that one is under way, and then STORED. The set
 * only says which keys to look at. What is shown of a key is its counter, so no number is ever wrong.
 *
 * A total that is not higher than the floor is not offered, since as many keys as are shown are above it. The floor is
 * wrong once others have reset such keys. So every batch with hits of the namespace also counts how many keys of the
 * set are at the lowest total of this table or above. When that is less than the table has, the table begins anew.
 *
 * Failure modes:
 *   - The store refuses the set: it rests, with all that is due, until held keys are tried again.
 *   - The store forgot, or another copy of it answers: totals are not what they were. So the table begins anew, and its
 *     keys are unsure until the store has said what they hold (flush/top_looks.h).
 *   - Others reset a key while an offer of it was due: the set has too high a number, and so one key more than needed,
 *     until the key is hit here again. There are TOPS_KEPT - TOPS_SHOWN_MAX keys to spare. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define TOPS_NAMESPACES_MAX 64
#define TOPS_SHOWN_MAX 100
#define TOPS_KEPT 128
#define TOPS_UNSURE_MAX (2 * TOPS_KEPT)

enum top_state { TOP_STORED, TOP_DUE, TOP_SENT };

struct top_entry {
    int64_t total;
    uint32_t key;
    uint8_t state; /* enum top_state */
    bool lower;    /* while not STORED: the set may have more */
};

/* Of one namespace in one partition. */
struct top {
    int64_t floor; /* no total up to it is offered. INT64_MIN while the table is not full */
    uint32_t count;
    uint32_t due; /* entries that are DUE */
    bool rests;   /* the store refused it */
    uint32_t unsure_count;
    struct top_entry entries[TOPS_KEPT];
    uint32_t unsure[TOPS_UNSURE_MAX]; /* keys */
};

struct tops;

/* For namespaces 0 … one less than `namespaces`. `kept` is TOPS_KEPT, or less in tests. Returns 0 or -ENOMEM. */
int tops_create(struct tops **out, uint32_t namespaces, uint32_t partitions, uint32_t kept);
void tops_destroy(struct tops *t);              /* NULL is allowed */
uint32_t tops_namespaces(const struct tops *t); /* 0 without any */
uint32_t tops_stored(const struct tops *t);     /* so many the set has at most */
struct top *tops_at(const struct tops *t, uint32_t ns, uint32_t partition);

/* ---- what is known of a key ---- */
void top_note(const struct tops *t, struct top *top, uint32_t key, int64_t total);
/* The key is another one from now on, or its total is. */
void top_drop(struct tops *t, struct top *top, uint32_t key);
bool top_needs(const struct top *top, uint32_t key); /* is it DUE, SENT or unsure? */
/* The store has said what it holds, or that it holds nothing. */
void top_is_sure(struct tops *t, struct top *top, uint32_t key);

/* ---- offers ---- */
/* All that is DUE is SENT. */
void top_take(struct top *top);
/* What is SENT is in the store, or with `refused` DUE again. */
void top_end(struct top *top, bool refused);
void top_begin_anew(struct top *top);      /* the set has what the table has, and more than that is not known */
int64_t top_lowest(const struct top *top); /* total in the table, which is not empty */
/* Totals of the partition are not what they were. */
void tops_doubt(struct tops *t, uint32_t partition); /* NULL is allowed, also below */
/* Up to `max` unsure keys. Returns how many. */
uint32_t tops_unsure(const struct tops *t, uint32_t max, uint32_t keys[]);
bool tops_are_unsure(const struct tops *t);
/* May what is due go now? Once a flush it may, so that it goes along with hits. */
void tops_let_go(struct tops *t);
bool tops_may_go(const struct tops *t, uint32_t partition);
void tops_gone(struct tops *t, uint32_t partition);
bool tops_are_due(const struct tops *t); /* in any partition, and not at rest */
void tops_retry(struct tops *t);         /* ends all rests */
