#pragma once
/* Names to ask the store for, on their way out and back, one partition's.
 *
 * Thread: the flusher's.
 * Happy path: read_queue_push() an op; read_queue_send() appends the commands that fit behind what is being
 * sent; read_queue_take() gets their replies, in order; an op with all its answers goes to `answered`.
 * Failure modes: the link goes down: replies under way are not waited for any more; the op's deadline passes:
 * READ_FAILED for what is not answered, and a reply that still comes is dropped. GETRANGE, not GET: whatever another
 * program put under that key, the reply has at most 21 bytes. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "flush/keys.h"
#include "flush/reads.h"
#include "redis/resp.h"

#define READ_QUEUE_SLOTS 8192    /* names queued or under way; a power of two */
#define READ_QUEUE_SENT_MAX 1024 /* names in one go, so that batches get their turn */

struct read_slot {
    struct read_op *op; /* NULL: expired */
    uint32_t index;
};

struct read_queue {
    struct keys *keys;
    void (*answered)(void *ctx, struct read_op *op);
    void *answered_ctx;
    struct read_op *ops_first, *ops_last; /* all that are not answered */
    uint32_t head, sent, tail;            /* slots, free-running: [head, sent) under way, [sent, tail) queued */
    struct read_slot slots[READ_QUEUE_SLOTS];
};

bool read_queue_has_room(const struct read_queue *q); /* for an op of any lawful size */
/* Only with room. An op of 0 names is answered at once, one of too many with READ_FAILED. */
void read_queue_push(struct read_queue *q, struct read_op *op);
bool read_queue_waits(const struct read_queue *q);                                    /* anything to send? */
uint32_t read_queue_send(struct read_queue *q, struct slice prefix, struct buf *out); /* number of commands */
void read_queue_take(struct read_queue *q, const struct reply *reply, uint64_t now_ms);
void read_queue_link_down(struct read_queue *q);
void read_queue_expire(struct read_queue *q, uint64_t now_ms);
uint64_t read_queue_wake_ms(const struct read_queue *q); /* the first deadline; UINT64_MAX: none */
