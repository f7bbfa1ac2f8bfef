/* Planted: a batch that goes on after a kill adds nothing to totals. */
#include "owed/batch.h"

int __real_batch_restore_sum(struct batch *b, const struct keys *keys, uint16_t ns, key_cell cell, int64_t delta);
int __wrap_batch_restore_sum(struct batch *b, const struct keys *keys, uint16_t ns, key_cell cell, int64_t delta);

int __wrap_batch_restore_sum(struct batch *b, const struct keys *keys, uint16_t ns, key_cell cell, int64_t delta)
{
    (void)delta;
    return __real_batch_restore_sum(b, keys, ns, cell, 0);
}
