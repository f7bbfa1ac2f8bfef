#pragma once
/* How long to wait before another attempt. `min_ms` doubles with each attempt up to `max_ms`. Half of the time is
 * certain and half is chance, so that many instances do not come back as one.
 *
 * Thread: pure functions. `random` is 64 bits of chance. */

#include <stdint.h>

static inline uint64_t backoff_part_ms(uint64_t delay_ms, uint64_t random)
{
    return delay_ms / 2 + random % (delay_ms / 2 + 1);
}

static inline uint64_t backoff_ms(uint32_t attempts, uint64_t min_ms, uint64_t max_ms, uint64_t random)
{
    uint64_t delay_ms = min_ms;

    for (uint32_t i = 0; i < attempts && delay_ms < max_ms; i++)
        delay_ms *= 2;
    return backoff_part_ms(delay_ms < max_ms ? delay_ms : max_ms, random);
}
