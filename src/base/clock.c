#include "base/clock.h"

#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now); /* cannot fail for the two clocks used here */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t clock_mono_us(void) { return clock_mono_ns() / 1000; }

uint64_t clock_mono_ms(void) { return clock_mono_ns() / 1000000; }

int64_t clock_wall_ms(void) { return (int64_t)(clock_ns(CLOCK_REALTIME) / 1000000); }
