/* Planted: a PUT or DELETE goes ahead of the hits that were answered before it. */
#include "owed/batch.h"

bool __wrap_batch_take_key(struct batch *b, struct keys *keys, uint32_t key);

bool __wrap_batch_take_key(struct batch *b, struct keys *keys, uint32_t key)
{
    (void)b, (void)keys, (void)key;
    return true;
}
