#pragma once
/* Entries that were found together, and are handled together.
 *
 * Thread: whoever owns the struct. */

#include <stdint.h>

#include "base/buf.h"
#include "moving/entry.h"

struct item {
    uint32_t at; /* of its text, in the page's */
    uint16_t bytes, from, to;
    bool total;
    bool marked;    /* it was moved before */
    bool rests;     /* it cannot be moved, and was counted as such */
    int64_t value;  /* of the old key */
    int64_t moved;  /* what its mark says */
    int64_t target; /* of the new key, before */
};

struct page {
    struct buf text;    /* owned */
    struct item *items; /* owned */
    uint32_t count, capacity;
};

void page_fini(struct page *p);
void page_clear(struct page *p); /* keeps the memory */
/* Returns 0 or -ENOMEM. */
int page_add(struct page *p, const struct entry *e);
/* By new partition, or by old one. */
void page_sort(struct page *p, bool by_new);
struct entry page_entry(const struct page *p, const struct item *item);
