/* Planted: any answer to EXEC counts as its success. */
#include "ledger/partition.h"

enum partition_news __real_partition_take(struct partition *p, enum partition_step what, uint32_t index,
                                          const struct outcome *o);
enum partition_news __wrap_partition_take(struct partition *p, enum partition_step what, uint32_t index,
                                          const struct outcome *o);

enum partition_news __wrap_partition_take(struct partition *p, enum partition_step what, uint32_t index,
                                          const struct outcome *o)
{
    const struct outcome done = {.kind = OUTCOME_DONE};
    bool refused = what == STEP_EXEC && o->kind == OUTCOME_REFUSED;

    return __real_partition_take(p, what, index, refused ? &done : o);
}
