#pragma once
/* How fast a number grows, as a mean over the last PACE_SPAN_S seconds.
 *
 * Thread: its owner's. */

#include <stdint.h>

#define PACE_SPAN_S 10

struct pace {
    struct pace_sample {
        int64_t value;
        uint64_t at_ms; /* monotonic */
    } samples[PACE_SPAN_S + 1];
    uint32_t count; /* how many there ever were */
};

/* Notes the number. It is meant to be called once a second. */
void pace_add(struct pace *p, int64_t value, uint64_t now_ms);
/* Returns tenths a second, and 0 while there is one sample, or when the number fell. */
uint64_t pace_tenths(const struct pace *p);
