#pragma once
/* What a partition knows of its past: who it is, which batch the server's ledger must show, what was stored lately;
 * and, with a state file, the journal of it that the next process reads.
 *
 * Thread: the flusher's.
 * Happy path, for each batch: history_intend() before it is sent first, history_stored() when it is, after the
 * baselines have moved. ledger/moves.h and history_rename() when the server's ledger is not what it must be.
 * At start history_resume() brings back a batch whose fate was open when the process before ended. */

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "ledger/accounts.h"
#include "ledger/flush_options.h"
#include "ledger/journal.h"
#include "ledger/window.h"

#define LEDGER_KEY_BYTES_MAX 256

struct history_config {
    const struct flush_options *options; /* all pointers are the caller's, and outlive this */
    struct accounts *accounts;
    struct slice prefix; /* of the partition's keys */
    uint32_t number;     /* of the partition */
    void *journal;       /* its memory, as recovery left it; NULL: no state file */
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
    uint64_t stored_ms;           /* when it was last written */
    struct window window;
    struct journal journal;
    bool inherits; /* nothing that this process made is stored yet: if the identity is not ours, neither is the rest */
    bool bare;     /* the journal's last record names no cell */
    struct buf parts; /* of the record under way */
};

void history_init(struct history *c, const struct history_config *config);
void history_fini(struct history *c);
/* How many parts a batch may have. */
uint32_t history_parts_max(const struct history *c);

/* For the batch after the last that was stored: no other has this nonce. */
struct ledger history_next(struct history *c);
/* A ledger that the window does not know: may it be of a branch that it has forgotten? */
bool history_strayed(const struct history *c, const struct ledger *ledger);

/* The bytes of `b`, those of its items perhaps beforehand. 0 or -ENOMEM. */
int history_prepare(const struct history *c, struct batch *b);
int history_compose(const struct history *c, struct batch *b);
int history_compose_probe(const struct history *c, struct batch *b);
/* `b`, composed, is about to be sent for the first time; `replaces`: instead of the one before. 0 or -ENOMEM. */
int history_intend(struct history *c, const struct batch *b, bool replaces);
/* `hits` of it are in the store, and so is its ledger. */
void history_stored(struct history *c, const struct batch *b, uint64_t hits);
/* `b`, sent before, will not be sent again: should a copy of the store have executed it, it is known. */
void history_shelve(struct history *c, const struct batch *b);
/* The other way round: `entry` is a batch that was given up, and the server's ledger shows it. 0 or -ENOMEM. */
int history_revive(struct history *c, struct window_entry *entry, struct batch *b);
/* The batch under way is resolved, and `acked` is what the ledger is now. */
void history_start_over(struct history *c, const struct ledger *acked);
/* Note a step of a move in the journal before it is made: to `to`, with these baselines. 0 or -ENOMEM. */
int history_intend_step(struct history *c, const struct ledger *to, const struct ledger *goal, uint64_t hits,
                        const struct buf *parts);
/* The ledger is gone, and a new one begins; whether the hits under it are, too, is not known: so many. */
uint64_t history_forget(struct history *c);
/* Nothing is under way. Of cells in old records none is known any more, should the journal be damaged: an empty batch
 * that was never sent is the last one. */
void history_cover(struct history *c);
/* A new identity, without a past: another process writes under the old one. When that is found out before anything of
 * ours was stored, it has a copy of our state file, and what was in it is its to store: given up, so many hits. */
uint64_t history_rename(struct history *c, const char *instance);

/* Into `batch` and `replaced`, both empty, what was open; whether there was a batch, and one that it replaces.
 * 0 or -ENOMEM. */
int history_resume(struct history *c, struct batch *batch, bool *open, struct batch *replaced, bool *replaces);
