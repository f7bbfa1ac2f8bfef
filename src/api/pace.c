#include "api/pace.h"

#define SAMPLES (PACE_SPAN_S + 1)

void pace_add(struct pace *p, int64_t value, uint64_t now_ms)
{
    p->samples[p->count % SAMPLES] = (struct pace_sample){value, now_ms};
    p->count++;
}

uint64_t pace_tenths(const struct pace *p)
{
    if (p->count < 2)
        return 0;
    const struct pace_sample *last = &p->samples[(p->count - 1) % SAMPLES];
    const struct pace_sample *first = &p->samples[p->count <= SAMPLES ? 0 : p->count % SAMPLES];
    uint64_t ms = last->at_ms - first->at_ms;
    if (last->value <= first->value || ms == 0)
        return 0;
    /* Unsigned, so that the distance of any two numbers fits. */
    uint64_t grown = (uint64_t)last->value - (uint64_t)first->value;
    return grown <= UINT64_MAX / 10000 ? (grown * 10000 + ms / 2) / ms : grown / ms * 10000;
}
