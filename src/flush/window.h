#pragma once
/* What was stored lately: the ledgers of the last batches, how many hits each carried, and, for the replay window, in
 * which cells. A server that rolls back is recognised, what it forgot can be stored again, and the rest is a number.
 * Of the batches of an earlier process the number is all there is (window_recall()).
 *
 * Thread: the flusher's.
 * Happy path: window_push() after each batch that was stored; window_cut() when the server's ledger is behind: the
 * baselines of every batch since go back, newest first, and ordinary batches carry the hits again.
 * Bounded: `parts_max` parts, WINDOW_ENTRIES_MAX ledgers; what is oldest, or older than `keep_ms`, is forgotten first,
 * its parts before its ledger. WINDOW_PARTLESS_MAX ledgers are kept without parts: were there no such bound, memory
 * would grow for hours. Without memory for parts a batch is as one beyond the window. */

#include <stdbool.h>
#include <stdint.h>

#include "flush/batch.h"
#include "flush/ledger.h"

#define WINDOW_ENTRIES_MAX (1u << 16)
#define WINDOW_PARTLESS_MAX 2048

struct window_part {
    key_cell cell;
    uint64_t hits;
};

struct window_entry {
    struct ledger ledger;
    uint64_t hits;
    uint64_t stored_ms;
    struct window_part *parts; /* owned; NULL: beyond the window, or nothing was in it */
    uint32_t parts_count;
};

struct window {
    struct window_entry *entries; /* owned; a ring of `capacity`, a power of two */
    uint32_t capacity, first, count;
    uint32_t partless; /* so many, from the oldest, have lost their parts */
    uint64_t keep_ms, parts_max, parts;
};

enum window_answer { WINDOW_OURS, WINDOW_NOT_OURS, WINDOW_TOO_OLD };

struct window_cut {
    uint64_t replayed; /* hits that are pending again */
    uint64_t lost;     /* hits of batches beyond the window */
    uint64_t batches;  /* so many were known; when there were more, `lost` is a lower bound */
};

void window_init(struct window *w, uint64_t keep_ms, uint64_t parts_max);
void window_fini(struct window *w);
void window_clear(struct window *w);
/* `b` was stored: `hits` of it. */
void window_push(struct window *w, const struct batch *b, uint64_t hits, uint64_t now_ms);
/* An earlier process stored this; oldest first, before all others. */
void window_recall(struct window *w, const struct ledger_entry *entry);
/* The last `max` batches up to `seq`, oldest first; how many. */
uint32_t window_recent(const struct window *w, uint64_t seq, struct ledger_entry out[], uint32_t max);
/* Was this ledger ours? */
enum window_answer window_knows(const struct window *w, const struct ledger *ledger);
/* Until when something in it can be stored again; 0: nothing can. */
uint64_t window_ends_ms(const struct window *w);
/* Forget everything after `seq`, and move the baselines back as far as it is known which; `keys` NULL: none, all that
 * is forgotten is lost. */
struct window_cut window_cut(struct window *w, uint64_t seq, struct keys *keys, uint64_t now_ms);
