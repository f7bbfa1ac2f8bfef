#include "tally/forget.h"

#include "sync/atomic.h"

void forget_ask(struct forget_desk *d, enum forget_step step)
{
    d->step = step;
    store_release_u32(&d->asked, d->asked + 1); /* partner: forget_answer() */
}

bool forget_is_answered(const struct forget_desk *d)
{
    return load_acquire_u32(&d->answered) == d->asked; /* partner: forget_answer() */
}

static bool unlink_cell(struct shard *s, struct places *p, uint32_t cell)
{
    bool gone = shard_unlink(s, cell);

    if (gone && shard_is_placed(s, cell))
        places_give_back(p, places_namespace(p, shard_name(s, cell)));
    return gone;
}

void forget_answer(struct forget_desk *d, struct shard *s, struct places *p)
{
    uint32_t asked = load_acquire_u32(&d->asked); /* partner: forget_ask() */

    if (asked == d->answered)
        return;
    for (uint32_t i = 0; i < d->count && d->step == FORGET_UNLINK; i++)
        d->unlinked[i] = unlink_cell(s, p, d->cells[i]);
    for (uint32_t i = 0; i < d->count && d->step == FORGET_VACATE; i++)
        if (d->unlinked[i])
            shard_vacate(s, d->cells[i]);
    store_release_u32(&d->answered, asked); /* partner: forget_is_answered() */
}
