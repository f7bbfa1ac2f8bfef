#pragma once
/* A bounded single-producer single-consumer queue of pointers over ck_ring.
 * What the producer wrote before a push, the consumer sees after the pop.
 *
 * Thread: one producer, one consumer; created and destroyed when neither runs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spsc;

#define SPSC_CAPACITY_MAX (1u << 30)

/* `capacity`: a power of two, 2…SPSC_CAPACITY_MAX; one slot stays free. Memory is reserved at once and
 * becomes resident as it is used. 0, -ENOMEM, -EINVAL. */
int spsc_create(struct spsc **out, uint32_t capacity);
void spsc_destroy(struct spsc *q);          /* NULL is allowed; what is still queued is the caller's */
bool spsc_push(struct spsc *q, void *item); /* producer; false: full */
bool spsc_pop(struct spsc *q, void **item); /* consumer; false: empty */
