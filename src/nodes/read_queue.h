#pragma once
/* Names to ask the store for, on their way out and back.
 *
 * Thread: the flusher's.
 * Each partition has a lane of its own, because each is on a connection of its own. Within a lane names leave and come
 * back in order. A question may have names in many lanes. All lanes share one pool of slots.
 *
 * Happy path: read_queue_push() takes a question. read_queue_send() appends the commands of one lane that fit behind
 * what is being sent. read_queue_take() gets their replies, in order. A question with all its answers goes to `asker`.
 * Of one name there is one question at a time: who asks for it meanwhile joins. No older answer follows from that than
 * from a question of its own. Batches and questions of a name travel on one connection, so the answer to a question
 * that left before a batch has come before the batch is known to be stored.
 *
 * Failure modes:
 *   - The link goes down: all questions with names in its lanes are answered, and what is open is ANSWER_FAILED.
 *   - The question's deadline passes: what is open is ANSWER_FAILED, and a reply that still comes is dropped.
 * It asks by GETRANGE, not GET, so that the reply has at most 21 bytes, whatever another program put under that key. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "owed/keys.h"
#include "owed/keyspace.h"
#include "owed/question.h"
#include "redis/resp.h"
#include "tally/answers.h"

#define READ_QUEUE_SLOTS 8192    /* names queued or under way */
#define READ_QUEUE_SENT_MAX 1024 /* names of a lane in one go, so that batches get their turn */

#define READ_QUEUE_BUCKETS 4096

/* Slots are told by slot + 1, and 0 is none. */
struct read_slot {
    struct question *question; /* NULL when it has expired, and nobody has joined it */
    uint32_t index;
    uint32_t next;   /* in its lane, or among those who joined the same slot, or among the free ones */
    uint32_t joined; /* the first of those who want the same answer */
    uint32_t bucket, bucket_next;
};

/* A list of slots. Those from `first` on are under way, those from `unsent` on are queued. Each is slot + 1, or 0. */
struct read_lane {
    uint32_t first, unsent, last;
};

struct read_queue {
    const struct keyspace *space;
    struct keys *keys;
    struct answers *answers; /* for names that are none of the keys. When NULL they are not remembered */
    struct asker asker;
    struct question *questions_first, *questions_last; /* all that are not answered */
    uint32_t used;                                     /* slots that ever were */
    uint32_t free_first, busy;                         /* slots given back, and slots in use */
    uint64_t joins;                                    /* questions that were spared */
    struct read_lane lanes[PARTITIONS_MAX];
    uint32_t buckets[READ_QUEUE_BUCKETS]; /* the slots in lanes, by name */
    struct read_slot slots[READ_QUEUE_SLOTS];
};

bool read_queue_has_room(const struct read_queue *q); /* for a question of any lawful size */
/* Only with room. A question of 0 names is answered at once, one of too many with ANSWER_FAILED. */
void read_queue_push(struct read_queue *q, struct question *question);
bool read_queue_waits(const struct read_queue *q, uint32_t lane);               /* anything to send? */
uint32_t read_queue_send(struct read_queue *q, uint32_t lane, struct buf *out); /* number of commands */
void read_queue_take(struct read_queue *q, uint32_t lane, const struct reply *reply, uint64_t now_ms);
/* No reply comes any more on that lane: all questions with names in it are answered. */
void read_queue_fail(struct read_queue *q, uint32_t lane);
void read_queue_expire(struct read_queue *q, uint64_t now_ms);
uint64_t read_queue_wake_ms(const struct read_queue *q); /* the first deadline, or UINT64_MAX */
