#pragma once
/* How often something took how long, in fixed buckets from 50 µs to 10 s.
 *
 * Thread: one adds, any reads. Each number is recent by itself. Their sum is what a reader calls the count, so the
 * buckets and the count of one reading always agree. */

#include <stdint.h>

#include "sync/atomic.h"

/* Upper bounds, each inclusive: microseconds, and seconds as Prometheus labels them. */
#define HISTOGRAM_BOUNDS(BOUND)                                                                                        \
    BOUND(50, "5e-05")                                                                                                 \
    BOUND(100, "0.0001")                                                                                               \
    BOUND(250, "0.00025")                                                                                              \
    BOUND(500, "0.0005")                                                                                               \
    BOUND(1000, "0.001")                                                                                               \
    BOUND(2500, "0.0025")                                                                                              \
    BOUND(5000, "0.005")                                                                                               \
    BOUND(10000, "0.01")                                                                                               \
    BOUND(25000, "0.025")                                                                                              \
    BOUND(50000, "0.05")                                                                                               \
    BOUND(100000, "0.1")                                                                                               \
    BOUND(250000, "0.25")                                                                                              \
    BOUND(500000, "0.5")                                                                                               \
    BOUND(1000000, "1.0")                                                                                              \
    BOUND(2500000, "2.5")                                                                                              \
    BOUND(5000000, "5.0")                                                                                              \
    BOUND(10000000, "10.0")
#define HISTOGRAM_ONE(us, seconds) +1
#define HISTOGRAM_BUCKETS (1 HISTOGRAM_BOUNDS(HISTOGRAM_ONE)) /* the last has no bound */

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS]; /* of each bucket alone */
    uint64_t sum_us;
};

/* `n` of them took `us` each. */
void histogram_add(struct histogram *h, uint64_t us, uint64_t n);
