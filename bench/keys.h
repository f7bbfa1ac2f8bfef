#pragma once
/* Which page is hit next: one, Zipf-distributed, uniform, or one never seen before.
 *
 * Thread: its owner's. Draws are reproducible: they follow from the seed. */

#include <stdint.h>

/* "page-" and 14 digits: with the namespace "blog/" a name of 24 bytes. */
#define KEY_BYTES 19

enum keys_kind { KEYS_HOT, KEYS_ZIPF, KEYS_UNIFORM, KEYS_NEW };

struct keys {
    enum keys_kind kind;
    uint32_t count;
    uint64_t state;  /* of the generator */
    uint64_t next;   /* KEYS_NEW: the number of the next page */
    uint32_t *draws; /* KEYS_ZIPF: owned; KEYS_DRAWS of them, made beforehand */
};

#define KEYS_DRAWS (1u << 20)

/* "hot", "zipf:N", "uniform:N" or "new:FIRST"; 0, -EINVAL, -ENOMEM. */
int keys_init(struct keys *k, const char *text, uint64_t seed);
void keys_fini(struct keys *k);
/* Writes the KEY_BYTES of the next page's key. */
void keys_next(struct keys *k, char *out);
