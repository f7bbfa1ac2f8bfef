#pragma once
/* The machine that partition.c, partition_answers.c and partition_phase.c share.
 *
 * Thread: the flusher's. */

#include "ledger/partition.h"

/*                         ARMING ◄────────── the arm is written, from any phase but SENT and ASKED
 *                            │ the ledger is read, and is …
 *        ┌──────────┬────────┼────────────────┬──────────────────────┐
 *        ▼          ▼        ▼                ▼                      ▼
 *      UNMET    DOUBTING  LOOKING           READY                 ASKING
 *     refused,   it looks  it proves a        │ MULTI               │ MULTI
 *     or a new   lost: too batch whose        ▼                     ▼
 *     identity   soon to   keys must be     ARMED              ASK_ARMED
 *                believe   looked at          │ a batch is sent     │ a probe is sent
 *                                             ▼                     ▼
 *                                           SENT                  ASKED
 *                                             │ EXEC                │ EXEC
 *                                             ▼                     ▼
 *                                           READY                 UNMET
 *
 * After EXEC it is ARMING instead when the arm for the next batch was written behind it. Another partition's turn takes
 * ARMED and ASK_ARMED back to READY and ASKING. The end of the connection makes every phase UNMET. */
enum partition_phase {
    PARTITION_UNMET, /* the ledger was not read on this connection, or is another one since */
    PARTITION_ARMING,
    PARTITION_DOUBTING,
    PARTITION_LOOKING,
    PARTITION_READY,
    PARTITION_ARMED,
    PARTITION_SENT,
    PARTITION_ASKING, /* does the server take writes? Before that is known, nothing follows from its ledger */
    PARTITION_ASK_ARMED,
    PARTITION_ASKED,
    PARTITION_PHASES,
};

struct partition {
    struct chain chain;
    enum partition_phase phase;
    bool arm_follows;               /* in SENT and ASKED, when the next arm is on its way behind the batch */
    bool halted;                    /* by on-ledger-loss=halt. It outlives connections, and nothing is armed any more */
    bool too_large;                 /* the batch, for the link */
    uint64_t resume_ms;             /* no arm and no batch before */
    uint64_t looked_ms;             /* when the ledger was read last */
    uint32_t refusals;              /* in a row, for the back-off */
    uint32_t nils;                  /* in a row */
    enum redis_error_class refusal; /* why the batch under way is refused */
    enum redis_error_class arm_refusal; /* why the arm is */
    struct refused refused;
    bool refused_at_arm; /* the last time */
};

/* Only from partition_phase.c's table, and into a lawful state. */
void partition_move(struct partition *p, enum partition_phase to);

/* The ledger is what it must be, as far as this connection has shown. */
static inline bool partition_has_met(const struct partition *p)
{
    return p->phase == PARTITION_READY || p->phase == PARTITION_ARMED;
}
