/* Planted: what was refused of a batch is not taken off the total of its namespace again. */
#include "owed/batch.h"

void __real_batch_end_sums(struct batch *b, const struct keys *keys, uint64_t now_ms);
void __wrap_batch_end_sums(struct batch *b, const struct keys *keys, uint64_t now_ms);

void __wrap_batch_end_sums(struct batch *b, const struct keys *keys, uint64_t now_ms)
{
    for (struct batch_item *item = b->items; item < b->items + b->items_count; item++)
        item->applied = true;
    __real_batch_end_sums(b, keys, now_ms);
}
