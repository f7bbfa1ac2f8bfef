#pragma once
/* A bounded queue of pointers over ck_ring. What the producer wrote before a push, the consumer sees after the pop.
 *
 * Thread: one producer, one consumer. It is created and destroyed while neither runs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spsc;

#define SPSC_CAPACITY_MAX (1u << 30)

/* `capacity` is a power of two, 2…SPSC_CAPACITY_MAX, and one slot of it stays free. Memory is reserved at once and
 * becomes resident as it is used. Returns 0, -ENOMEM or -EINVAL. */
int spsc_create(struct spsc **out, uint32_t capacity);
void spsc_destroy(struct spsc *q);          /* NULL is allowed. What is queued stays the caller's */
bool spsc_push(struct spsc *q, void *item); /* producer. false when full */
bool spsc_pop(struct spsc *q, void **item); /* consumer. false when empty */
