#pragma once
/* One budget of memory for what clients make the process keep, which is partial heads, bodies, and answers that they do
 * not read.
 *
 * Thread: the budget is shared by all workers, and each draws from it through a purse of its own. A purse takes whole
 * grants, so that the shared number is touched once in many connections. */

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_UNIT_BYTES 1024

struct budget {
    uint32_t units_max;                          /* constant once the workers run */
    uint32_t units __attribute__((aligned(64))); /* granted. Any worker adds */
};

struct purse {
    struct budget *budget; /* NULL when there is no bound */
    uint64_t granted;      /* bytes that no other worker can have */
    uint64_t used;         /* bytes, more than granted only by purse_force() */
};

/* `bytes` is at most 4 TiB. */
void budget_init(struct budget *b, uint64_t bytes);
uint64_t budget_bytes_max(const struct budget *b);
/* Returns how much of it is granted, in thousandths, and 0 for NULL. */
uint32_t budget_fill(const struct budget *b);

/* Returns false, and takes nothing, when the budget is at its end. */
bool purse_take(struct purse *p, uint64_t bytes);
/* Takes for what exists already and is about to be freed. */
void purse_force(struct purse *p, uint64_t bytes);
void purse_give(struct purse *p, uint64_t bytes);
/* Gives everything back to the budget. */
void purse_fini(struct purse *p);
