#pragma once
/* The two clocks. Every deadline follows the monotonic one. Wall time is for what people read.
 *
 * Thread: any.
 * Source: clock_gettime(2), CLOCK_MONOTONIC and CLOCK_REALTIME. */

#include <stdint.h>

uint64_t clock_mono_ns(void);
uint64_t clock_mono_us(void);
uint64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00Z */
