#include "sync/histogram.h"

#define BOUND_US(us, seconds) us,
static const uint64_t bounds_us[] = {HISTOGRAM_BOUNDS(BOUND_US)};

void histogram_add(struct histogram *h, uint64_t us, uint64_t n)
{
    unsigned bucket = 0;

    while (bucket < HISTOGRAM_BUCKETS - 1 && us > bounds_us[bucket])
        bucket++;
    stat_add(&h->counts[bucket], n);
    stat_add(&h->sum_us, us * n);
}
