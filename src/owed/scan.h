#pragma once
/* A walk through the names of a namespace, page by page (DESIGN 4.6). What is asked, and where it stands.
 *
 * Thread: the worker's. The flusher's while it has the question (owed/question.h).
 * Nothing in the store is an index, so a walk is made of SCANs. It visits the nodes one after the other, and shows each
 * name that is there all the time at least once. It may show one twice, after a node was restarted or a table resized.
 * A partition that moves to another node during the walk is walked through again there. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "owed/keyspace.h"
#include "tally/name.h"

#define SCAN_PARTITION_WORDS (PARTITIONS_MAX / 64)
#define SCAN_LIMIT_MAX 1000

/* Where a walk stands. All zeros is its beginning. Any value is safe, since a wrong one shows names twice or not at
 * all.
 */
struct scan_place {
    uint64_t cursor;                          /* The store's. What is behind it was shown */
    uint64_t server;                          /* which process gave it, as no other understands it, or 0 */
    uint32_t taken;                           /* how many names of the answer at `cursor`, in order, were shown, … */
    uint32_t sum;                             /* … and what they were (CRC-32C) */
    uint64_t done[SCAN_PARTITION_WORDS];      /* partitions that were walked through, a bit each */
    uint64_t under_way[SCAN_PARTITION_WORDS]; /* those that live on the node that is being walked through */
};

struct scan_name {
    uint32_t at; /* in `text` */
    uint16_t bytes;
    bool there; /* it held an integer when it was looked at */
    int64_t value;
};

enum scan_state {
    SCAN_DONE,
    SCAN_UNREACHABLE,
    SCAN_BUSY,    /* too many walks at once */
    SCAN_REFUSED, /* the server does not let this user */
};

struct scan {
    /* asked */
    char begins[NAME_BYTES_MAX]; /* "ns/" and what the keys begin with */
    uint16_t begins_bytes;
    uint32_t limit;          /* of names in the page, 1…SCAN_LIMIT_MAX */
    uint32_t pause_percent;  /* of the time that an answer took, before the next question */
    struct scan_place place; /* answered, too, with where the next page begins */
    /* answered */
    enum scan_state state;
    bool ended;              /* there is no next page */
    struct scan_name *names; /* owned. count of them */
    uint32_t count, capacity;
    struct buf text; /* owned */
};

/* Returns NULL without memory. `begins` has at most NAME_BYTES_MAX. */
struct scan *scan_create(struct slice begins, uint32_t limit);
void scan_destroy(struct scan *s); /* NULL is allowed */
/* Forgets the names of a page, before the next one is asked for. */
void scan_clear(struct scan *s);
struct slice scan_name_at(const struct scan *s, uint32_t i);
bool scan_begins(const struct scan *s, struct slice name);
/* 0 or -ENOMEM. */
int scan_add(struct scan *s, struct slice name);
/* The names from `first` on came in one answer. Sorts them, and keeps each once, without those that were shown already,
 * and only as many as the page has room for. Returns whether that is all of them. */
bool scan_settle(struct scan *s, uint32_t first);

static inline bool scan_bit(const uint64_t *words, uint32_t i) { return words[i / 64] >> i % 64 & 1; }
static inline void scan_set_bit(uint64_t *words, uint32_t i) { words[i / 64] |= UINT64_C(1) << i % 64; }
