#pragma once
/* What a partition knows of its past. That is who it is, which batch the server's ledger must show, and what was stored
 * lately.
 * With a state file it also writes the journal that the next process reads.
 *
 * Thread: the flusher's.
 * Happy path, for each batch: history_intend() before it is sent first, history_stored() when it is stored and the
 * baselines have moved. At start history_resume() brings back a batch whose fate was open when the process before
 * ended.
 *
 * Failure mode: when the server's ledger is not what it must be, ledger/moves.h goes where it points to, or
 * history_rename() begins anew. */

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "ledger/flush_options.h"
#include "ledger/journal.h"
#include "ledger/window.h"
#include "owed/accounts.h"

#define LEDGER_KEY_BYTES_MAX 256

struct history_config {
    const struct flush_options *options; /* all pointers are the caller's, and outlive this */
    struct accounts *accounts;
    struct slice prefix; /* of the partition's keys */
    uint32_t number;     /* of the partition */
    void *journal;       /* its memory, as recovery left it. NULL without a state file */
    uint32_t journal_bytes;
    uint64_t replay_parts_max;
};

struct history {
    struct history_config config;
    char instance[UUID_TEXT_BYTES];
    char ledger_key[LEDGER_KEY_BYTES_MAX];
    struct ledger acked;          /* what the server's ledger must be */
    uint64_t hits;                /* stored since the ledger began, as far as is known */
    bool partial;                 /* there were more */
    struct siphash_key nonce_key; /* tells nonces of this identity, whichever process drew them */
    uint64_t stored_ms;           /* when the ledger was last written */
    struct window window;
    struct journal journal;
    bool inherits; /* Nothing that this process made is stored yet. If the identity is not ours, neither is the rest */
    bool bare;     /* the journal's last record names no cell */
    struct buf parts; /* of the record under way */
};

void history_init(struct history *c, const struct history_config *config);
void history_fini(struct history *c);
/* How many parts a batch may have. */
uint32_t history_parts_max(const struct history *c);

/* Returns the ledger of the batch after the last that was stored. No other has its nonce. */
struct ledger history_next(struct history *c);
/* The window does not know `ledger`. May it be of a branch that the window has forgotten? */
bool history_strayed(const struct history *c, const struct ledger *ledger);

/* ---- a batch ---- */
/* Composes all bytes of `b`. Returns 0 or -ENOMEM. */
int history_compose(const struct history *c, struct batch *b);
/* `b` is composed, and about to be sent for the first time. With `replaces` it takes the place of the one before.
 * Returns 0 or -ENOMEM. */
int history_intend(struct history *c, const struct batch *b, bool replaces);
/* `hits` of it are in the store, and so is its ledger. */
void history_stored(struct history *c, const struct batch *b, uint64_t hits);
/* The server's ledger shows `entry`, a batch that was given up. It becomes `b` again. Returns 0 or -ENOMEM. */
int history_revive(struct history *c, struct window_entry *entry, struct batch *b);
/* The batch under way is resolved, and `acked` is what the ledger is now. */
void history_start_over(struct history *c, const struct ledger *acked);

/* ---- what else may happen ---- */
/* Notes a step of a move in the journal before it is made. The step goes to `to`, with these baselines. Returns 0 or
 * -ENOMEM. */
int history_intend_step(struct history *c, const struct ledger *to, const struct ledger *goal, uint64_t hits,
                        const struct buf *parts);
/* The ledger is gone, and a new one begins. Returns how many hits were under the old one. Whether they are gone too is
 * not known. */
uint64_t history_forget(struct history *c);
/* Nothing is under way. Makes an empty batch that was never sent the last record, so that no old record names cells,
 * should the journal be damaged. */
void history_cover(struct history *c);
/* Another process writes under our identity, so a new one without a past begins. When that is found out before anything
 * of ours was stored, the other process has a copy of our state file, and stores what was in it. Returns how many hits
 * are given up to it. */
uint64_t history_rename(struct history *c, const char *instance);

/* Puts what was open into `batch` and `replaced`, both empty. Tells whether there was a batch, and one that it
 * replaces. Returns 0 or -ENOMEM. */
int history_resume(struct history *c, struct batch *batch, bool *open, struct batch *replaced, bool *replaces);
