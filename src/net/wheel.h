#pragma once
/* A timer wheel for connections, with one entry a slot and 64 buckets of ENGINE_TICK_MS. To set and to clear are O(1).
 *
 * Thread: the worker's.
 * The wheel is lazy. An entry that is due is handed to its owner, who looks at the true deadline and sets it anew when
 * that has moved. So traffic on a connection does not touch the wheel. No entry waits longer than WHEEL_SPAN_MS before
 * it is looked at. */

#include <stdint.h>

#define WHEEL_TICK_MS 100
#define WHEEL_BUCKETS 64
#define WHEEL_SPAN_MS (WHEEL_TICK_MS * (WHEEL_BUCKETS - 2))

struct wheel {
    struct wheel_link {
        uint32_t next, previous;
        uint64_t at_ms; /* 0 when it is not set */
    } * links;          /* owned, `slots` entries, then one head a bucket */
    uint32_t slots;
    uint64_t now_tick;
};

int wheel_init(struct wheel *w, uint32_t slots, uint64_t now_ms); /* 0 or -ENOMEM */
void wheel_fini(struct wheel *w);
/* Makes the slot due at `at_ms` at the latest, or after WHEEL_SPAN_MS when that is sooner. */
void wheel_set(struct wheel *w, uint32_t slot, uint64_t at_ms);
void wheel_clear(struct wheel *w, uint32_t slot);
/* Returns when the slot is due, or UINT64_MAX when it is not set. */
uint64_t wheel_at(const struct wheel *w, uint32_t slot);
/* Calls due() for all that are due by `now_ms`. Each is cleared before, and may be set again from there. */
void wheel_advance(struct wheel *w, uint64_t now_ms, void (*due)(void *ctx, uint32_t slot), void *ctx);
