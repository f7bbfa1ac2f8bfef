#pragma once
/* Latencies in log-linear buckets: 128 per power of two, so a quantile is at most 0.8 % too high.
 *
 * Thread: its owner's. */

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t count, max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
/* The upper end of the bucket in which the quantile `q` (0…1) lies, but never above the maximum; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double q);
