#pragma once
/* One partition: its ledger, its batch, and the fenced transaction over and over (DESIGN 4.2).
 *
 * Thread: the flusher's.
 * Happy path:
 *   ARM    WATCH L · GET L · MULTI            all three replies read before anything else is sent
 *   SEND   INCRBY k d … · SET L "<seq+1> <nonce>" EX … · EXEC · [reads] · WATCH L · GET L · MULTI     one write
 * so a batch costs one round trip. MULTI travels with the arm, not with the batch: were it refused (NOPERM by a
 * changed ACL, say), the INCRBYs behind it in the same write would be executed outside any transaction.
 * Reads on an idle partition go as DISCARD · reads · WATCH L · GET L · MULTI.
 * Failure modes, each ending in ARM and a look at the ledger:
 *   - connection lost, EXEC nil, any error: the same bytes again, or taken as applied, as the ledger says;
 *   - a key that the server will not queue: the batch is replaced by an empty one with the same seq, so that
 *     whatever copy of the old bytes still travels is refused; then its keys go back, the refused one aside;
 *   - the ledger is behind, missing or foreign: rollback counted as lost, the on-ledger-loss policy, a new identity;
 *   - an error inside the EXEC array: that key is held aside, the others are stored.
 * The baselines move only with proof: an EXEC array, or our nonce in the ledger. */

#include <stdbool.h>
#include <stdint.h>

#include "flush/chain.h"
#include "flush/read_queue.h"
#include "redis/link.h"

struct partition_config {
    struct chain_config chain;
    struct read_queue *reads;
    struct link *link;
};

struct partition;

int partition_create(struct partition **out, const struct partition_config *config); /* 0 or -ENOMEM */
void partition_destroy(struct partition *p);
void partition_link_ready(struct partition *p);
void partition_link_down(struct partition *p);
/* Do what can be done now: at most one write. */
void partition_tick(struct partition *p, uint64_t now_ms);
/* Is there a batch that is not resolved? */
bool partition_busy(const struct partition *p);
uint64_t partition_wake_ms(const struct partition *p); /* UINT64_MAX: when something else happens */
const char *partition_instance(const struct partition *p);
const char *partition_state_name(const struct partition *p);
