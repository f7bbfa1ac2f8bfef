/* Planted: hits that were refused in the batch of a write are set aside, though the write has replaced them. */
#include "owed/accounts.h"

uint64_t __real_accounts_answered(struct accounts *a, struct batch *b);
uint64_t __wrap_accounts_answered(struct accounts *a, struct batch *b);

uint64_t __wrap_accounts_answered(struct accounts *a, struct batch *b)
{
    bool replaced = b->write.there && b->items_count && b->items[0].refused;
    const struct batch_part *part = replaced ? &b->parts[0] : NULL;
    uint64_t from = replaced ? part->from : 0;
    uint32_t key = replaced ? b->items[0].key : KEY_NONE;
    uint64_t stored = __real_accounts_answered(a, b);

    if (!replaced)
        return stored;
    keys_set_baseline(a->keys, part->cell, from);
    keys_hold(a->keys, key, part->to - from);
    books_post(a->books,
               &(struct books_move){.stored = -(int64_t)(part->to - from), .poisoned = (int64_t)(part->to - from)});
    return stored;
}
