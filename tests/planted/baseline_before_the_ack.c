/* Planted: the baselines advance when the batch is made, not when it is acknowledged. */
#include "owed/batch.h"

int __real_batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key);
int __wrap_batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key);

int __wrap_batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key)
{
    for (uint32_t i = 0; i < b->items_count; i++)
        batch_item_applied(b, (struct keys *)(uintptr_t)keys, &b->items[i]);
    return __real_batch_compose(b, keys, prefix, ledger_key);
}
