#pragma once
/* One partition: arming it, sending its batches, and what the server's answers mean for its chain (DESIGN 4.2).
 *
 * Thread: the flusher's.
 * It belongs to no connection: session.h carries what it says and brings the answers, and a partition may go on on
 * another connection, or another node, with a batch whose fate is open.
 * Happy path: partition_begin_arm(), the answers to WATCH, GET and MULTI, partition_begin_send(), the answers to the
 * batch, partition_settle().
 * Failure modes, each ending in another arm and a look at the ledger:
 *   - connection lost, EXEC nil, any error: the same bytes again, or taken as applied, as the ledger says;
 *   - a key that the server will not queue: the batch is replaced by an empty one with the same seq, so that
 *     whatever copy of the old bytes still travels is refused; then its keys go back, the refused one aside;
 *   - a batch that the link did not carry in time: replaced likewise, and its keys go in smaller ones;
 *   - the ledger is behind, missing or foreign: rollback counted as lost, the on-ledger-loss policy, a new identity;
 *   - an error inside the EXEC array: that key is held aside, the others are stored.
 * The baselines move only with proof: an EXEC array, or our nonce in the ledger. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/chain.h"
#include "ledger/refusals.h"

struct partition;

int partition_create(struct partition **out, const struct chain_config *config); /* 0 or -ENOMEM */
void partition_destroy(struct partition *p);

/* ---- when it wants what ---- */
/* Does it want to be armed or to send: a batch in doubt, dirty keys, a ledger to read, to read again or to refresh? */
bool partition_has_work(const struct partition *p, uint64_t now_ms);
/* Is there a batch that is not resolved, or ready and not sent? */
bool partition_busy(const struct partition *p);
/* Was the ledger read on this connection, and is the fate of every copy of the batch known? Then what the server
 * holds fits the baselines. */
bool partition_is_sure(const struct partition *p);
uint64_t partition_wake_ms(const struct partition *p); /* UINT64_MAX: when something else happens */

/* ---- arming: WATCH L · GET L · MULTI ---- */
/* Before it, outside of any transaction: the commands that look at the keys of a batch whose answer was lost. How many.
 */
uint32_t partition_compose_looks(struct partition *p, struct buf *out);
int partition_on_look(struct partition *p, const struct reply *reply, uint32_t index);
void partition_begin_arm(struct partition *p);
/* These and those below: 0, 1 when the batch proved to be stored, or -EPROTO. */
int partition_on_watch(struct partition *p, const struct reply *reply);
int partition_on_ledger(struct partition *p, const struct reply *reply); /* of a server that is to be believed */
int partition_on_multi(struct partition *p, const struct reply *reply);
/* All three were answered well: a batch may be sent. */
bool partition_is_armed(const struct partition *p);

/* ---- sending: INCRBY … · SET L … · EXEC ---- */
/* The batch to send now, counted as sent; NULL: nothing to send. Only when armed. */
const struct batch *partition_begin_send(struct partition *p, uint64_t now_ms);
/* Make the next batch ready while the server works on this one. */
void partition_prepare(struct partition *p);
int partition_on_queued(struct partition *p, const struct reply *reply, uint32_t index);
int partition_on_exec(struct partition *p, const struct reply *reply);
/* Why the arm or the batch under way is refused, so far. */
enum redis_error_class partition_refusal(const struct partition *p);

/* Everything that was sent is answered: what its refusal asks for. Back-off is already arranged. */
enum refusal_action partition_settle(struct partition *p);
/* Its batch was on the connection that ended because time was up: replace it by smaller ones. */
void partition_did_not_pass(struct partition *p);
/* The connection is gone, or the partition leaves it. */
void partition_unlink(struct partition *p);
/* The next connection is to another node. */
void partition_leave(struct partition *p);
/* Another node says that the partition belongs to the one it is on. */
void partition_vouch(struct partition *p, uint64_t asked_ms);

struct refused *partition_refused(struct partition *p); /* as it was noted */
uint32_t partition_number(const struct partition *p);
struct slice partition_ledger_key(const struct partition *p);
