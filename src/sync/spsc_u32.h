#pragma once
/* A queue of 32-bit indexes that grows. Its memory follows the most that it had to hold at once. What the producer
 * wrote before a push, the consumer sees after the pop.
 *
 * Thread: one producer, one consumer. It is created and destroyed while neither runs.
 * A table of 2^n slots lies at slot 2^n of one region, so the next larger table is always free. When a table is full,
 * the producer goes on in the next one. The consumer follows once it has emptied the one before, and gives its memory
 * back. */

#include <stdbool.h>
#include <stdint.h>

struct spsc_u32;

#define SPSC_U32_ITEMS_MAX (1u << 30)

/* `items_max` is 1…SPSC_U32_ITEMS_MAX. Returns 0, -ENOMEM or -EINVAL. */
int spsc_u32_create(struct spsc_u32 **out, uint32_t items_max);
void spsc_u32_destroy(struct spsc_u32 *q); /* NULL is allowed */
/* Makes room for so many at once, at most items_max. Called by the producer. */
void spsc_u32_reserve(struct spsc_u32 *q, uint32_t items);
/* Called by the producer. Returns false when full, which cannot happen within a reserve. */
bool spsc_u32_push(struct spsc_u32 *q, uint32_t item);
bool spsc_u32_pop(struct spsc_u32 *q, uint32_t *item); /* consumer. false when empty */
