#pragma once
/* Forgets keys that nobody has counted for a while, so that --max-keys bounds what is active.
 *
 * Thread: the flusher's.
 * Happy path: a hand goes over the keys. Those whose hits are stored, and that nobody has used for `idle_ms` and for
 * the replay window, leave in rounds of at most FORGET_CELLS_MAX cells of each worker (tally/forget.h). What the store
 * holds of a key that is forgotten is remembered as an answer for a moment (tally/answers.h). Then the store is asked.
 * When three quarters of the keys that may be are there, a tenth of `idle_ms` is enough.
 * Failure modes: a key that is hit meanwhile stays, whole or with the cells that were hit. A worker that does not
 * answer holds the round up. What other workers count meanwhile of the keys in it waits to be stored. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/flush_options.h"
#include "owed/keys.h"
#include "owed/stats.h"
#include "owed/writes.h"
#include "tally/tally.h"

struct forgetting_config {
    const struct flush_options *options; /* all pointers are the caller's, and outlive this */
    struct tally *tally;
    struct keys *keys;
    struct writes *writes;
    struct flusher_stats *stats;
    void (*wake)(void *ctx, uint32_t worker); /* it has something to answer */
    void (*covers)(void *ctx);                /* nothing that is kept may say any more in which cells a batch was */
    void *ctx;
};

struct forgetting;

int forgetting_create(struct forgetting **out, const struct forgetting_config *config); /* 0 or -ENOMEM */
void forgetting_destroy(struct forgetting *f);                                          /* NULL is allowed */
/* O(FORGET_CELLS_MAX * workers). */
void forgetting_tick(struct forgetting *f, uint64_t now_ms);
/* The workers have ended. Ends the round under way in their place. */
void forgetting_finish(struct forgetting *f);
uint64_t forgetting_wake_ms(const struct forgetting *f);
