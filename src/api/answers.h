#pragma once
/* What the store said lately of names that this process does not count, "no such key" among it.
 *
 * Thread: the worker's. Names are told apart by a keyed hash of 64 bits. Of four that share a place the oldest answer
 * is forgotten first. */

#include <stdbool.h>
#include <stdint.h>

struct answers;

struct answer_known {
    uint64_t hash; /* of the name; 0: free */
    uint64_t at_ms;
    int64_t stored;
    bool found;
};

int answers_create(struct answers **out); /* 0 or -ENOMEM */
void answers_destroy(struct answers *a);  /* NULL is allowed */
/* NULL: nothing is known since `since_ms`. */
const struct answer_known *answers_find(const struct answers *a, uint64_t hash, uint64_t since_ms);
void answers_put(struct answers *a, const struct answer_known *known);
