#pragma once
/* One partition (DESIGN 4.2). It is armed, sends its batches, and hears what the server's answers mean for its chain.
 *
 * Thread: the flusher's.
 * It belongs to no connection. nodes/session.h carries what it says and brings the answers, and a partition may go on
 * on another connection, or another node, with a batch whose fate is open.
 *
 * Happy path: partition_begin_arm(), the answers to WATCH, GET and MULTI, partition_begin_send(), the answers to the
 * batch, partition_settle(). Answers come by partition_take(). partition_inside.h has the diagram of the phases.
 *
 * Failure modes, each of which ends in another arm and a look at the ledger:
 *   - A connection is lost, EXEC says nil, or there is any error: the same bytes are sent again, or are taken as
 *     applied, as the ledger says.
 *   - The server will not queue a key: the batch is replaced by an empty one with the same seq, so that whatever copy
 *     of the old bytes still travels is refused. Then its keys go back, and the refused one is held.
 *   - The link did not carry a batch in time: it is replaced likewise, and its keys go in smaller ones.
 *   - The ledger is behind, missing or foreign: ledger/chain.h.
 *   - There is an error inside EXEC's answer: that key is held, and the others are stored.
 * The baselines move only when EXEC's answer proves it, or our nonce in the ledger. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/chain.h"
#include "ledger/outcome.h"
#include "ledger/refusal.h"

struct partition;

int partition_create(struct partition **out, const struct chain_config *config); /* 0 or -ENOMEM */
void partition_destroy(struct partition *p);

/* ---- when it wants what ---- */
/* Does it want to be armed or to send? It does with a batch in doubt, dirty keys, or a ledger that is to be read or
 * refreshed. */
bool partition_has_work(const struct partition *p, uint64_t now_ms);
/* Will it, as far as is known, when the batch that is being sent is answered? */
bool partition_has_more(const struct partition *p);
/* When its ledger should be looked at though there is nothing to send. UINT64_MAX means not at all. */
uint64_t partition_look_ms(const struct partition *p);
/* Is there a batch that is not resolved, or one that is ready and not sent? */
bool partition_busy(const struct partition *p);
/* Was the ledger read on this connection, and is the fate of every copy of the batch known? Then what the server holds
 * fits the baselines. */
bool partition_is_sure(const struct partition *p);
/* When it wants something by itself. UINT64_MAX when it does only after something else happens. */
uint64_t partition_wake_ms(const struct partition *p);

/* ---- arming: WATCH L · GET L · MULTI ---- */
/* The arm is written. When it follows a batch of this partition, the answers to the batch come first. `lineage` is that
 * of the server's data (redis/greeting.h). */
void partition_begin_arm(struct partition *p, uint64_t lineage);
/* How many keys of a batch whose answer was lost are to be looked at before WATCH, outside of any transaction. */
uint32_t partition_looks(const struct partition *p);
struct slice partition_look_name(const struct partition *p, uint32_t index); /* the internal name */
/* May a batch be sent? */
bool partition_is_armed(const struct partition *p);
/* It was armed, and another partition takes the turn. */
void partition_disarm(struct partition *p);

/* ---- sending: INCRBY … · SET L … · EXEC ---- */
/* Returns the batch to send now, which is counted as sent, or NULL when there is none. Only when armed. */
struct batch *partition_begin_send(struct partition *p, uint64_t now_ms);
void partition_cover(struct partition *p); /* see chain_cover() */
/* Makes the next batch ready while the server works on this one. */
void partition_prepare(struct partition *p);

/* ---- answers ---- */
enum partition_step {
    STEP_QUEUED,
    STEP_EXEC,
    STEP_LOOK, /* GETRANGE of a key of the batch whose answer was lost */
    STEP_WATCH,
    STEP_LEDGER, /* GET of the ledger, of a server that is to be believed */
    STEP_MULTI,
    STEPS,
};

enum partition_news {
    PARTITION_GOES_ON,
    PARTITION_ACCEPTED, /* the server does again what it refused */
    PARTITION_PROVED,   /* likewise, and a batch is stored or a probe was executed */
};

/* Takes what became of step `what`, of which it is the `index`-th answer. Never OUTCOME_STRANGE, since the connection
 * ends then. */
enum partition_news partition_take(struct partition *p, enum partition_step what, uint32_t index,
                                   const struct outcome *o);
/* Why the arm or the batch under way is refused, so far. */
enum redis_error_class partition_refusal(const struct partition *p);

/* Everything that was sent is answered. Returns what its refusal asks for. It has arranged its back-off by then. */
enum refusal_action partition_settle(struct partition *p);
/* Its batch was on the connection that ended because time was up. It is replaced by smaller ones. */
void partition_did_not_pass(struct partition *p);
/* The ledger was looked at, in no transaction. Returns whether it is what it must be. */
bool partition_take_look(struct partition *p, const struct outcome *o);
/* The ledger may not be what it must be. It is read again, with all that follows. */
void partition_mistrust(struct partition *p);
/* The connection is gone, or the partition leaves it. */
void partition_unlink(struct partition *p);
/* The next connection is to another node. */
void partition_leave(struct partition *p);
/* Another node says that the partition belongs to the one it is on. */
void partition_vouch(struct partition *p, uint64_t asked_ms);

struct refused *partition_refused(struct partition *p); /* as it was noted */
/* Is there a ledger that nobody will ask for, when all is stored and no process comes after this one? */
bool partition_leaves_ledger(const struct partition *p);
uint32_t partition_number(const struct partition *p);
struct slice partition_prefix(const struct partition *p); /* of its keys */
struct slice partition_ledger_key(const struct partition *p);
