#include <assert.h>

#include "ledger/partition_inside.h"

static const bool may_move[PARTITION_PHASES][PARTITION_PHASES] = {
    [PARTITION_UNMET] = {[PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_ARMING] = {[PARTITION_UNMET] = true,
                          [PARTITION_DOUBTING] = true,
                          [PARTITION_LOOKING] = true,
                          [PARTITION_READY] = true,
                          [PARTITION_ASKING] = true},
    [PARTITION_DOUBTING] = {[PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_LOOKING] = {[PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_READY] = {[PARTITION_ARMED] = true, [PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_ARMED] =
        {[PARTITION_SENT] = true, [PARTITION_READY] = true, [PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_SENT] = {[PARTITION_READY] = true, [PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_ASKING] = {[PARTITION_ASK_ARMED] = true, [PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_ASK_ARMED] =
        {[PARTITION_ASKED] = true, [PARTITION_ASKING] = true, [PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
    [PARTITION_ASKED] = {[PARTITION_ARMING] = true, [PARTITION_UNMET] = true},
};

/* What must hold in each phase. */
static bool partition_holds(const struct partition *p)
{
    const struct chain *c = &p->chain;

    switch (p->phase) {
    case PARTITION_UNMET:
    case PARTITION_ARMING: return !p->arm_follows;
    case PARTITION_DOUBTING: return c->loss_seen_ms && !p->arm_follows;
    case PARTITION_LOOKING: return c->proved && !p->arm_follows;
    case PARTITION_READY: return !c->proved && !p->arm_follows;
    case PARTITION_ARMED: return !c->proved && !p->arm_refusal && !p->halted;
    case PARTITION_SENT: return c->batch && c->batch->copies && !c->proved && !p->halted;
    case PARTITION_ASKING: return !c->takes_writes && !p->arm_follows;
    case PARTITION_ASK_ARMED: return !c->takes_writes && !p->arm_refusal && !p->halted;
    case PARTITION_ASKED: return !c->takes_writes && c->probe.is_probe && !p->halted;
    case PARTITION_PHASES: break;
    }
    return false;
}

void partition_move(struct partition *p, enum partition_phase to)
{
    assert(may_move[p->phase][to]);
    p->phase = to;
    assert(partition_holds(p));
}
