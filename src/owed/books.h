#pragma once
/* Where every accepted hit is, kept so that a reader always sees books that balance.
 *
 * Thread: the flusher writes, any thread reads (sequence lock).
 * A hit that is in none of the first four is pending. */

#include <stdint.h>

#include "owed/stats.h"
#include "sync/seqlock.h"

struct books {
    struct seqlock lock;
    struct flusher_books now;
};

/* What to add to each. A negative number is taken away. */
struct books_move {
    int64_t stored, in_flight, poisoned, lost, rolled_back;
};

void books_init(struct books *b);
void books_post(struct books *b, const struct books_move *move);   /* flusher */
void books_read(const struct books *b, struct flusher_books *out); /* any thread */
