#pragma once
/* A queue of 32-bit indexes from one producer to one consumer that grows: its memory follows what it had to have room
 * for, not the largest case and not how long it has been in use.
 * What the producer wrote before a push, the consumer sees after the pop.
 *
 * Thread: one producer, one consumer; created and destroyed when neither runs.
 * A table of 2^n slots lies at slot 2^n of one region, so the larger one is always free to be begun: the producer goes
 * on in it, the consumer follows once it has emptied the one before, and gives that memory back. */

#include <stdbool.h>
#include <stdint.h>

struct spsc_u32;

#define SPSC_U32_ITEMS_MAX (1u << 30)

/* `items_max`: 1…SPSC_U32_ITEMS_MAX. 0, -ENOMEM, -EINVAL. */
int spsc_u32_create(struct spsc_u32 **out, uint32_t items_max);
void spsc_u32_destroy(struct spsc_u32 *q); /* NULL is allowed */
/* Producer: room for so many at once, items_max at most. */
void spsc_u32_reserve(struct spsc_u32 *q, uint32_t items);
bool spsc_u32_push(struct spsc_u32 *q, uint32_t item); /* producer; false: full, which cannot be within a reserve */
bool spsc_u32_pop(struct spsc_u32 *q, uint32_t *item); /* consumer; false: empty */
