#pragma once
/* Bounded single-producer single-consumer queues over ck_ring: of pointers, and of 32-bit indexes.
 *
 * Thread: one producer, one consumer; the capacity is a power of two, one slot stays free. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spsc;     /* of void * */
struct spsc_u32; /* of uint32_t */

int spsc_create(struct spsc **out, uint32_t capacity); /* 0, -ENOMEM, -EINVAL (not a power of two) */
void spsc_destroy(struct spsc *q);
bool spsc_push(struct spsc *q, void *item); /* producer; false: full */
bool spsc_pop(struct spsc *q, void **item); /* consumer; false: empty */

/* Memory is reserved at once and becomes resident as it is used (mmap). */
int spsc_u32_create(struct spsc_u32 **out, uint32_t capacity);
void spsc_u32_destroy(struct spsc_u32 *q);
bool spsc_u32_push(struct spsc_u32 *q, uint32_t item);
bool spsc_u32_pop(struct spsc_u32 *q, uint32_t *item);
