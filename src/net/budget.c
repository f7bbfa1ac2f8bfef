#include "net/budget.h"

#include <assert.h>

#include "sync/atomic.h"

#define GRANT_UNITS 256  /* what a purse takes at once, where there is so much */
#define SPARE_UNITS 1024 /* what it keeps at most beyond what is used */

void budget_init(struct budget *b, uint64_t bytes)
{
    uint64_t units = bytes / BUDGET_UNIT_BYTES;

    *b = (struct budget){.units_max = units < UINT32_MAX / 2 ? (uint32_t)units : UINT32_MAX / 2};
}

uint64_t budget_bytes_max(const struct budget *b) { return (uint64_t)b->units_max * BUDGET_UNIT_BYTES; }

uint32_t budget_fill(const struct budget *b)
{
    if (!b || b->units_max == 0)
        return 0;
    /* Relaxed because the number guards nothing but itself; partner: units_take(). */
    uint64_t fill = (uint64_t)load_relaxed_u32(&b->units) * 1000 / b->units_max;
    return fill < 1000 ? (uint32_t)fill : 1000;
}

/* Looked at before it is added to: who asks in vain must not have the workers fight for this line. The sum of all
 * purses stays far below 2^32, so the addition that is taken back cannot wrap. */
static bool units_take(struct budget *b, uint32_t units)
{
    if (units > b->units_max || load_relaxed_u32(&b->units) > b->units_max - units)
        return false;
    if (fetch_add_u32(&b->units, units) <= b->units_max - units)
        return true;
    fetch_add_u32(&b->units, 0 - units);
    return false;
}

bool purse_take(struct purse *p, uint64_t bytes)
{
    if (p->budget && p->used + bytes > p->granted) {
        uint64_t units = (p->used + bytes - p->granted + BUDGET_UNIT_BYTES - 1) / BUDGET_UNIT_BYTES;
        if (units > UINT32_MAX / 2)
            return false;
        uint32_t grant = units < GRANT_UNITS ? GRANT_UNITS : (uint32_t)units;
        if (!units_take(p->budget, grant) && !units_take(p->budget, grant = (uint32_t)units))
            return false;
        p->granted += (uint64_t)grant * BUDGET_UNIT_BYTES;
    }
    p->used += bytes;
    return true;
}

void purse_force(struct purse *p, uint64_t bytes) { p->used += bytes; }

void purse_give(struct purse *p, uint64_t bytes)
{
    assert(bytes <= p->used);
    p->used -= bytes;
    uint64_t spare = p->granted > p->used ? (p->granted - p->used) / BUDGET_UNIT_BYTES : 0;
    if (!p->budget || spare <= SPARE_UNITS)
        return;
    uint32_t back = (uint32_t)(spare - GRANT_UNITS);
    p->granted -= (uint64_t)back * BUDGET_UNIT_BYTES;
    fetch_add_u32(&p->budget->units, 0 - back);
}

void purse_fini(struct purse *p)
{
    if (p->budget)
        fetch_add_u32(&p->budget->units, 0 - (uint32_t)(p->granted / BUDGET_UNIT_BYTES));
    *p = (struct purse){0};
}
