#pragma once
/* Counters to be seeded or reset, by SET and DEL. Each is done once or not at all, and its asker is told which, or that
 * it is in doubt.
 *
 * Thread: the flusher's.
 * Happy path: a write travels in a batch of its own, behind the INCRBY of what this process counted of that key so far:
 *   INCRBY k d · SET k 1000 · SET L "<seq+1> <nonce>" · EXEC
 * It is fenced like hits are. Bytes of a dead connection that arrive late change nothing, and a batch whose answer was
 * lost is resolved by its ledger.
 *
 * The counter is set at one moment in the server's order, after all hits that this process had answered when it was
 * asked. What it counts later, and what other processes had not stored yet, is added on top. The books know nothing of
 * the write, because the INCRBY stores its hits, whatever replaces them. What was refused of that key, before or in
 * this batch, is replaced as well, and does not come back.
 *
 * Failure modes:
 *   - The server refuses it, or it is never sent: it is surely not done.
 *   - Its deadline passes while the batch's fate is open, or another copy of the store answers, which never had it: it
 *     is in doubt, and asking again is safe.
 *   - The process is killed: the next one does not send it again, but sends its hits.
 *   - The server forgets it (rollback): the server gets the hits again, but not the write. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/batch.h"
#include "owed/keyspace.h"
#include "owed/question.h"

struct writes {
    const struct keyspace *space;
    struct asker asker;
    struct question *first[PARTITIONS_MAX]; /* queued, the oldest first */
    struct batch *sent[PARTITIONS_MAX];     /* has a write whose asker still waits, or NULL */
    uint32_t keys_kept;                     /* batches with a write to a key of ours, whoever still waits */
    bool paused;
};

/* The question is ASK_SET, with the value in results[0].stored, or ASK_DELETE. It has one name. */
void writes_push(struct writes *w, struct question *question);
/* Does a write wait for that partition, and may it go? */
bool writes_wait(const struct writes *w, uint32_t partition);
/* While paused writes_wait() says no, because keys are leaving. */
void writes_pause(struct writes *w, bool paused);
/* Does a batch hold a write to a key of this process? That key is not to leave. */
bool writes_keep_keys(const struct writes *w);
/* Puts the oldest one into `b`, which is begun and empty. Only when one waits. */
void writes_take(struct writes *w, struct batch *b, struct keys *keys, uint32_t partition);
/* The batch has ended. ANSWER_FOUND says that its write is done, ANSWER_FAILED that it is not. */
void writes_ended(struct writes *w, const struct batch *b, enum answer_state state);
/* Answers those whose deadline has passed. */
void writes_expire(struct writes *w, uint64_t now_ms);
uint64_t writes_wake_ms(const struct writes *w); /* the first deadline, or UINT64_MAX */
