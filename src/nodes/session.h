#pragma once
/* The conversation with one node, and whose turn it is on it. WATCH and MULTI belong to a connection, so of all
 * partitions that live on the node only one is armed at a time.
 *
 * Thread: the flusher's.
 * Happy path:
 *   ARM    WATCH L · GET L · MULTI            all three replies are read before anything else is sent
 *   SEND   INCRBY k d … · SET L "<seq+1> <nonce>" EX … · EXEC · [reads] · WATCH M · GET M · MULTI     one write
 * M is the ledger of the next partition with work, in turn, perhaps L again. So N partitions with work cost N round
 * trips and one for the first arm. When none has work no arm follows, and the next flush begins with one. MULTI travels
 * with the arm, not with the batch. If it were refused (by a changed ACL, say), the INCRBYs behind it in the same write
 * would be executed outside of any transaction.
 *
 * Without a batch to send the write is [DISCARD] · [reads] · WATCH M · GET M · MULTI. When the answer to a batch of M
 * was lost, looks at its keys come before the WATCH. Without work it is [DISCARD] · [GET L …] · [reads]: looks at
 * the ledgers of which it is time, and what somebody wants to know.
 *
 * Failure modes: the partitions decide what an answer means. The connection ends when they ask for it, and after
 * anything that is no answer to what was asked. Then each partition looks at its ledger on the next connection. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/partition.h"
#include "nodes/read_queue.h"
#include "redis/link.h"

struct session_config {
    struct accounts *accounts;
    struct read_queue *reads;
    struct link *link;
    uint32_t members_max;
    void (*remap)(void *ctx); /* a partition seems to belong to another node */
    void *remap_ctx;
};

struct session;

int session_create(struct session **out, const struct session_config *config); /* 0 or -ENOMEM */
void session_destroy(struct session *s);
/* The partition lives on this node from now on. It has not met its ledger yet. */
void session_join(struct session *s, struct partition *p);
/* Returns false while it is in the middle of something. Ask again when that is answered. */
bool session_try_leave(struct session *s, struct partition *p);
uint32_t session_members(const struct session *s);
/* This process ends, and all is stored: deletes the ledgers that nobody will ask for, as soon as nothing else is to be
 * said. Returns whether it is done, or cannot be done on this connection. */
bool session_try_part(struct session *s);

void session_link_ready(struct session *s);
void session_link_down(struct session *s);
/* Does what can be done now, with one write at most. */
void session_tick(struct session *s, uint64_t now_ms);
/* Makes the next write ready while the last one is on its way. */
void session_prepare(struct session *s);
uint64_t session_wake_ms(const struct session *s); /* UINT64_MAX when only something else wakes it */
