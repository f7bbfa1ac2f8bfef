#pragma once
/* What was stored lately: the ledgers of the last batches and how many hits each carried, so that a server that
 * rolls back is recognised and the loss is a number.
 *
 * Thread: the flusher's. Bounded: the oldest is forgotten first. */

#include <stdbool.h>
#include <stdint.h>

#include "flush/ledger.h"

#define WINDOW_ENTRIES 1024

struct window_entry {
    struct ledger ledger;
    uint64_t hits;
};

struct window {
    struct window_entry entries[WINDOW_ENTRIES]; /* a ring */
    uint32_t first, count;
};

enum window_answer { WINDOW_OURS, WINDOW_NOT_OURS, WINDOW_TOO_OLD };

void window_clear(struct window *w);
void window_push(struct window *w, const struct ledger *ledger, uint64_t hits);
/* Was this ledger ours? */
enum window_answer window_knows(const struct window *w, const struct ledger *ledger);
/* Forget everything after `seq`; how many hits that was (a lower bound when `seq` is too old). */
uint64_t window_cut(struct window *w, uint64_t seq);
