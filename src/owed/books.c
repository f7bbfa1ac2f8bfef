#include "owed/books.h"

#include "sync/atomic.h"

void books_init(struct books *b)
{
    *b = (struct books){0};
    seqlock_init(&b->lock);
}

static void shift(uint64_t *p, int64_t by)
{
    /* Relaxed: the sequence lock orders them; the partner is books_read(). */
    store_relaxed_u64(p, *p + (uint64_t)by);
}

void books_post(struct books *b, const struct books_move *move)
{
    seqlock_write_begin(&b->lock);
    shift(&b->now.stored, move->stored);
    shift(&b->now.in_flight, move->in_flight);
    shift(&b->now.poisoned, move->poisoned);
    shift(&b->now.lost, move->lost);
    shift(&b->now.rolled_back, move->rolled_back);
    seqlock_write_end(&b->lock);
}

void books_read(const struct books *b, struct flusher_books *out)
{
    unsigned version;

    do {
        version = seqlock_read_begin(&b->lock);
        out->stored = load_relaxed_u64(&b->now.stored);
        out->in_flight = load_relaxed_u64(&b->now.in_flight);
        out->poisoned = load_relaxed_u64(&b->now.poisoned);
        out->lost = load_relaxed_u64(&b->now.lost);
        out->rolled_back = load_relaxed_u64(&b->now.rolled_back);
    } while (seqlock_read_retry(&b->lock, version));
}
