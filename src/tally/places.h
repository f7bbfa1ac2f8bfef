#pragma once
/* How many distinct names are counted, in all and by namespace, and how many may be.
 *
 * Thread: any worker takes a place for a name that is new to it. The flusher puts right what two workers did in the
 * same microsecond, and gives places back when names are forgotten. So each name that it has met has one place, however
 * many cells it has. */

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/slice.h"

#define PLACES_NAMESPACES (1u << 16)

struct places {
    uint32_t max; /* constant, as is the key */
    struct siphash_key key;
    /* on a line of its own, as what is around it is read at every hit */
    uint32_t taken __attribute__((aligned(64)));
    uint32_t by_namespace[PLACES_NAMESPACES] __attribute__((aligned(64))); /* by hash */
};

int places_create(struct places **out, uint32_t max); /* 0 or -errno */
void places_destroy(struct places *p);                /* NULL is allowed */

/* Returns which of the numbers by namespace a name ("ns/key") is counted in. */
uint32_t places_namespace(const struct places *p, struct slice name);
/* Returns how many there are of that namespace, and of those that share its number by chance. */
uint32_t places_in_namespace(const struct places *p, uint32_t ns);
/* Takes a place unless `max` are taken. */
bool places_take(struct places *p, struct slice name);
/* Takes one in any case. */
void places_add(struct places *p, struct slice name);
void places_give_back(struct places *p, uint32_t ns);
bool places_are_full(const struct places *p); /* a forecast: places_take() decides */
