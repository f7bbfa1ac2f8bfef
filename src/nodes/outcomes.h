#pragma once
/* Tells the ledger what the server's replies mean.
 *
 * Thread: the flusher's. */

#include "ledger/outcome.h"
#include "ledger/partition.h"
#include "redis/resp.h"

/* The outcome of one step of a transaction. `sent` is the batch under way, of which EXEC's reply notes for each item
 * what its key holds now or why it was refused. It is used for STEP_EXEC only. */
struct outcome outcome_of(enum partition_step step, const struct reply *reply, struct batch *sent);
/* For messages: what is answered in that step. */
const char *outcome_step_name(enum partition_step step);
