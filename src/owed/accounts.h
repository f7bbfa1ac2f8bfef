#pragma once
/* What happens to the keys, the books and the statistics when a batch is made and when it ends.
 *
 * Thread: the flusher's.
 * Each batch is taken once and ends once, in one of three ways:
 *   - Answered, when it is known what EXEC did.
 *   - Applied unseen, when the ledger says that it was applied and the replies are lost.
 *   - Given back, when it was not applied and never will be. */

#include <stdbool.h>

#include "owed/batch.h"
#include "owed/books.h"
#include "owed/env.h"
#include "owed/keys.h"
#include "owed/stats.h"
#include "owed/writes.h"

struct refusals;

struct accounts {
    const struct env *env;
    struct keys *keys;
    struct books *books;
    struct flusher_stats *stats;
    struct writes *writes;     /* NULL when nobody asks for any */
    struct refusals *refusals; /* NULL when nobody logs them */
    uint64_t refusals_second;  /* which second of the clock the next one counts */
    uint32_t refusals_logged;  /* in that second */
    uint64_t refusals_unlogged;
};

static inline uint64_t accounts_now_ms(const struct accounts *a) { return env_now_us(a->env) / 1000; }

/* Fills `b` from the dirty keys of a partition. */
void accounts_take(struct accounts *a, struct batch *b, uint32_t partition);
/* Fills `b` with the oldest write that waits for that partition, and with the hits of its key that go in front of it.
 */
void accounts_take_write(struct accounts *a, struct batch *b, uint32_t partition);
/* EXEC was executed, and what it said of each item and of the write is in `b`. Returns how many hits were stored. Items
 * that were refused are held. */
uint64_t accounts_answered(struct accounts *a, struct batch *b);
/* The ledger says that `b` was applied. Items that were found refused are held. Returns how many hits were stored, with
 * those that it had beside its items. */
uint64_t accounts_applied_unseen(struct accounts *a, struct batch *b);
/* `b` was taken by an earlier process and is under way again. */
void accounts_resume(struct accounts *a, const struct batch *b);
/* `b` was not applied and never will be. Its refused items are held, and the others are dirty again. */
void accounts_give_back(struct accounts *a, const struct batch *b);
/* Counts the hits that held keys got since the last call as poisoned. O(held keys). */
void accounts_sweep_held(struct accounts *a);
/* The server lacks a batch of `hits` that it had acknowledged. `replayed` of them are pending again, and the rest is
 * lost. */
void accounts_left(struct accounts *a, uint64_t hits, uint64_t replayed);
/* The server has such a batch after all. `pending` of its hits are not pending any more, and the rest is not lost any
 * more. */
void accounts_found(struct accounts *a, uint64_t hits, uint64_t pending);
/* A batch that was given up is under way again, as the server that answers now shows its ledger. */
void accounts_revived(struct accounts *a, const struct batch *b);
/* Makes the hits that a held key has aside pending. */
void accounts_unhold(struct accounts *a, uint32_t key);
/* What a partition has pending or aside may be in the store already, so it counts as lost and is never sent. */
void accounts_give_up_pending(struct accounts *a, uint32_t partition);
/* Counts `hits` as lost here, because another process has a copy of them and stores them. */
void accounts_gave_up(struct accounts *a, uint64_t hits);
void accounts_count_error(struct accounts *a, enum redis_error_class c);
