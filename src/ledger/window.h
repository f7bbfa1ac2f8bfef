#pragma once
/* What was stored lately, as a tree. Each batch knows the one before it (DESIGN 4.2, "history is a tree").
 *
 * Thread: the flusher's.
 * A store's ledger names a node of the tree. That store holds the node's batch and those before it, and no other. A
 * store that forgets makes a branch end. A copy of the store that went another way is another branch. `at` is the node
 * that the baselines stand for. ledger/moves.h goes from one node to another. A batch that was sent and given up hangs
 * in the tree as well (window_shelve()), because some copy may have executed it.
 *
 * It has at most `parts_max` parts and WINDOW_ENTRIES_MAX nodes. What is oldest, or older than `keep_ms`, is forgotten
 * first, its parts before its ledger. At most WINDOW_PARTLESS_MAX nodes are kept without parts, since memory would grow
 * for hours without that bound. A batch for whose parts there is no memory is as one beyond the window. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/journal.h"
#include "owed/batch.h"
#include "owed/ledger.h"

#define WINDOW_ENTRIES_MAX (1u << 16)
#define WINDOW_PARTLESS_MAX 2048
#define WINDOW_NONE UINT64_MAX /* no node, before the first batch or forgotten */

struct window_part {
    key_cell cell;
    uint64_t hits; /* of it in the baseline while `at` is this node or one behind it */
};

/* Of the total of a namespace (owed/sums.h). Of a batch that was stored it says by how much what is owed to the
 * total changed. Of one that was given up it says what the batch adds. Only what is not 0 is kept. */
struct window_sum {
    uint16_t ns;
    key_cell cell; /* of that namespace */
    int64_t hits;  /* that the batch had of it */
    int64_t by;
};

struct window_entry {
    struct ledger ledger; /* {0, 0} where a ledger was gone and began anew */
    uint64_t parent;      /* the number of the node before */
    uint64_t hits;
    uint64_t total; /* hits of all batches from the beginning of the ledger up to this one */
    uint64_t stored_ms;
    uint64_t blind;            /* hits that are pending again, and of which nobody knows any more in which cells */
    struct window_part *parts; /* owned. NULL when it is beyond the window or nothing was in it */
    struct window_sum *sums;   /* owned */
    uint32_t parts_count, sums_count;
    bool dark;       /* a store showed it, and what it and those before it held is not known */
    bool off;        /* not between the beginning and `at` */
    bool overwrites; /* it had a write, too (batch.h) */
    bool open;       /* sent and given up. Perhaps it was executed, and then perhaps not every key of it */
    bool behind;     /* another is behind it. Scratch of window_note_tips() */
    bool anew;       /* likewise, and a ledger began anew there */
};

struct window {
    struct window_entry *entries; /* a ring of `capacity`, a power of two. Owned */
    uint32_t capacity, first, count;
    uint64_t gone;         /* So many were forgotten. It is the number of the oldest one that is known */
    uint64_t at;           /* the number of a node, or WINDOW_NONE */
    uint32_t partless;     /* so many, from the oldest, have lost their parts */
    uint32_t off;          /* so many are */
    uint64_t off_seq_gone; /* the highest seq of one that was off and is forgotten, or 0 */
    bool left_anew;        /* the node that was left last began a ledger anew */
    uint64_t keep_ms, parts_max, parts;
    struct journal_tip tips[JOURNAL_TIPS_MAX]; /* the ends of the other branches, the latest first */
    uint32_t tips_count;
};

void window_init(struct window *w, uint64_t keep_ms, uint64_t parts_max);
void window_fini(struct window *w);
void window_clear(struct window *w);
/* `hits` of `b` were stored behind `at`. It is `at` now. */
void window_push(struct window *w, const struct batch *b, uint64_t hits, uint64_t now_ms);
/* `b` was sent, and is given up. */
void window_shelve(struct window *w, const struct batch *b, uint64_t now_ms);
/* The ledger is gone, but not what was stored under it, so a new one begins here. */
void window_begin_anew(struct window *w, uint64_t now_ms);
/* A store shows `ledger`, and nothing is known of the way there. It is `at` now. O(nodes). */
void window_begin_at(struct window *w, const struct ledger *ledger, uint64_t now_ms);
/* Takes what an earlier process knew. `acked` is its last ledger. Only when empty. */
void window_recall(struct window *w, const struct journal_stored *stored, const struct ledger *acked, uint64_t now_ms);
/* Of the way to `at` the last batches, and the ends of the other branches. */
void window_recent(const struct window *w, struct journal_stored *out);

/* Returns the number of a node, or WINDOW_NONE. O(nodes). */
uint64_t window_find(const struct window *w, const struct ledger *ledger);
/* Returns NULL when it is forgotten or there is none. */
struct window_entry *window_entry(const struct window *w, uint64_t number);
/* Where the ledger of the way to `at` began anew. WINDOW_NONE when it began with the first batch, or that is forgotten.
 */
uint64_t window_beginning(const struct window *w);
/* Returns the last node on both ways, or WINDOW_NONE when only the beginning is on both, or it is forgotten. */
uint64_t window_meet(const struct window *w, uint64_t a, uint64_t b);
/* Is the whole way from the beginning to `number` known? */
bool window_is_whole(const struct window *w, uint64_t number);
/* Is there a batch of that seq on the way to `at`, or may there have been one that is forgotten? */
enum window_answer { WINDOW_HAS, WINDOW_HAS_NOT, WINDOW_TOO_OLD };
enum window_answer window_has_seq(const struct window *w, uint64_t seq);

/* `at` is left for its parent, or a child of `at` is entered. Parts and baselines are the caller's business. */
void window_leave(struct window *w);
void window_enter(struct window *w, uint64_t number);
/* Forgets an open node, because it is under way again. */
void window_drop(struct window *w, struct window_entry *e);
/* Finds the ends of all other branches, when a move has ended or a node was shelved. O(nodes). */
void window_note_tips(struct window *w);
/* Notes while a move lasts where it came from and where it goes. O(1). */
void window_note_move(struct window *w, uint64_t from, uint64_t to);

/* Until when a loss of what its newest node tells of must be noticed. That is a replay window later, also when nothing
 * of it can be stored again, as after a kill. 0 when it is empty. */
uint64_t window_ends_ms(const struct window *w);
void window_expire(struct window *w, uint64_t now_ms);
