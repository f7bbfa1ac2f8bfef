#pragma once
/* What a partition knows of its past: who it is, which batch the server's ledger must show, what was stored lately;
 * and, with a state file, the journal of it that the next process reads.
 *
 * Thread: the flusher's.
 * Happy path, for each batch: chronicle_intend() before it is sent first, chronicle_stored() when it is, after the
 * baselines have moved. chronicle_start_over() and chronicle_rename() when the server's ledger is not what it must be.
 * At start chronicle_resume() brings back a batch whose fate was open when the process before ended. */

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "flush/accounts.h"
#include "flush/journal.h"
#include "flush/window.h"

#define LEDGER_KEY_BYTES_MAX 256

struct chronicle_config {
    struct accounts *accounts;
    struct slice prefix;  /* of the partition's keys; the caller's, outlives this */
    const char *instance; /* UUID, unless the journal has one */
    uint32_t number;      /* of the partition */
    void *journal;        /* its memory, as recovery left it; NULL: no state file */
    uint32_t journal_bytes;
    uint64_t replay_window_ms; /* 0: nothing is replayed */
    uint64_t replay_parts_max;
};

struct chronicle {
    struct chronicle_config config;
    char instance[UUID_TEXT_BYTES];
    char ledger_key[LEDGER_KEY_BYTES_MAX];
    struct ledger acked; /* what the server's ledger must be */
    uint64_t hits;       /* stored since the ledger began, as far as is known */
    /* Batches after this one were made when the server had forgotten some; UINT64_MAX: it never did. `repeats`: they
     * may hold what was in those, or it did so more than once, and nobody knows which ledger follows which. */
    uint64_t forked_seq;
    bool repeats;
    struct siphash_key nonce_key; /* tells nonces of this process from all others */
    uint32_t nonces;
    uint64_t stored_ms; /* when it was last written */
    struct window window;
    struct journal journal;
    bool inherits; /* nothing that this process made is stored yet: if the identity is not ours, neither is the rest */
    struct buf parts; /* of the record under way */
};

void chronicle_init(struct chronicle *c, const struct chronicle_config *config);
void chronicle_fini(struct chronicle *c);
/* How many parts a batch may have. */
uint32_t chronicle_parts_max(const struct chronicle *c);

/* For the batch after the last that was stored: no other has this nonce. */
struct ledger chronicle_next(struct chronicle *c);
/* Did this process make it, and may it be of batches that the server had forgotten once? */
bool chronicle_strayed(const struct chronicle *c, const struct ledger *ledger);

/* The bytes of `b`, those of its items perhaps beforehand. 0 or -ENOMEM. */
int chronicle_prepare(const struct chronicle *c, struct batch *b);
int chronicle_compose(const struct chronicle *c, struct batch *b);
/* `b`, composed, is about to be sent for the first time; `replaces`: instead of the one before. 0 or -ENOMEM. */
int chronicle_intend(struct chronicle *c, const struct batch *b, bool replaces);
/* `hits` of it are in the store, and so is its ledger. */
void chronicle_stored(struct chronicle *c, const struct batch *b, uint64_t hits);
/* The batch under way is resolved, and `acked` is what the ledger is now. */
void chronicle_start_over(struct chronicle *c, const struct ledger *acked);
/* The server is where it was after `seq`. */
struct window_cut chronicle_roll_back(struct chronicle *c, uint64_t seq);
/* The ledger is gone, and a new one begins; whether the hits under it are, too, is not known: so many. */
uint64_t chronicle_forget(struct chronicle *c);
/* The server forgot some batches, others were made instead, and now it has a ledger of the former, `seq`: those others
 * are forgotten in turn. What they repeat must not be stored twice, so then they are lost: at most so many. */
struct window_cut chronicle_come_back(struct chronicle *c, uint64_t seq);
/* A new identity, without a past: another process writes under the old one. When that is found out before anything of
 * ours was stored, it has a copy of our state file, and what was in it is its to store: given up, so many hits. */
uint64_t chronicle_rename(struct chronicle *c, const char *instance);

/* Into `batch` and `replaced`, both empty, what was open; whether there was a batch, and one that it replaces.
 * 0 or -ENOMEM. */
int chronicle_resume(struct chronicle *c, struct batch *batch, bool *open, struct batch *replaced, bool *replaces);
