/* Planted: of a batch whose answer was lost, no total is offered. */
#include "owed/batch.h"

void __wrap_batch_end_tops(const struct batch *b, const struct keys *keys, bool written);
void __real_batch_end_tops(const struct batch *b, const struct keys *keys, bool written);

void __wrap_batch_end_tops(const struct batch *b, const struct keys *keys, bool written)
{
    if (b->examined) /* its answer was lost, and its keys were looked at */
        for (uint32_t i = 0; i < b->items_count; i++)
            b->items[i].told = false;
    __real_batch_end_tops(b, keys, written);
}
