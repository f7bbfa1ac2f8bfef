#pragma once
/* Bounded single-producer single-consumer queues over ck_ring: of pointers, and of 32-bit indexes.
 * What the producer wrote before a push, the consumer sees after the pop.
 *
 * Thread: one producer, one consumer; created and destroyed when neither runs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spsc;     /* of void * */
struct spsc_u32; /* of uint32_t */

#define SPSC_CAPACITY_MAX (1u << 30)

/* `capacity`: a power of two, 2…SPSC_CAPACITY_MAX; one slot stays free. Memory is reserved at once and
 * becomes resident as it is used. 0, -ENOMEM, -EINVAL. */
int spsc_create(struct spsc **out, uint32_t capacity);
void spsc_destroy(struct spsc *q);          /* NULL is allowed; what is still queued is the caller's */
bool spsc_push(struct spsc *q, void *item); /* producer; false: full */
bool spsc_pop(struct spsc *q, void **item); /* consumer; false: empty */

int spsc_u32_create(struct spsc_u32 **out, uint32_t capacity);
void spsc_u32_destroy(struct spsc_u32 *q);
bool spsc_u32_push(struct spsc_u32 *q, uint32_t item);
bool spsc_u32_pop(struct spsc_u32 *q, uint32_t *item);
