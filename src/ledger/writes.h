#pragma once
/* Counters to be seeded or reset: SET and DEL, each exactly once or known not to be, or said to be in doubt.
 *
 * Thread: the flusher's.
 * A write travels in a batch of its own, behind the INCRBY of what this process counted of that key so far:
 *   INCRBY k d · SET k 1000 · SET L "<seq+1> <nonce>" · EXEC
 * So it is fenced like hits are: bytes of a dead connection that arrive late change nothing, and a batch whose answer
 * was lost is resolved by its ledger. What it means: the counter is set at one moment in the server's order, after all
 * hits that this process had answered when it was asked; what it counts later, and what other processes had not stored
 * yet, is added on top. The books know nothing of it: the INCRBY stores its hits, whatever replaces them.
 * What was refused of that key, before or in this batch, is replaced as well, and does not come back.
 * Failure modes: refused by the server, or never sent: not done, and sure not to be. Its deadline passes while the
 * batch's fate is open, or another copy of the store answers, which never had it: in doubt, and asking again is safe.
 * Of a process that is killed meanwhile the next one does not send it again, but its hits. A server that forgets it
 * (rollback) gets the hits again, not the write. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/batch.h"
#include "ledger/keyspace.h"
#include "ledger/question.h"

struct writes {
    const struct keyspace *space;
    struct asker asker;
    struct question *first[PARTITIONS_MAX]; /* queued, the oldest first */
    struct batch *sent[PARTITIONS_MAX];     /* has a write whose asker still waits; NULL: none */
    uint32_t keys_kept;                     /* batches with a write to a key of ours, whoever still waits */
    bool paused;
};

/* question->kind is ASK_SET, with the value in results[0].stored, or ASK_DELETE; question->count is 1. */
void writes_push(struct writes *w, struct question *question);
bool writes_wait(const struct writes *w, uint32_t partition);
/* Nobody waits meanwhile, as far as writes_wait() says: keys are leaving. */
void writes_pause(struct writes *w, bool paused);
/* Does a batch hold a write to a key of this process? That key is not to leave. */
bool writes_keep_keys(const struct writes *w);
/* The oldest one goes into `b`, which is begun and empty; only when one waits. */
void writes_take(struct writes *w, struct batch *b, struct keys *keys, uint32_t partition);
/* The batch of this partition has ended; ANSWER_FOUND: written, ANSWER_FAILED: not. */
void writes_ended(struct writes *w, const struct batch *b, enum answer_state state);
void writes_expire(struct writes *w, uint64_t now_ms);
uint64_t writes_wake_ms(const struct writes *w); /* the first deadline; UINT64_MAX: none */
