#pragma once
/* A growable run of bytes. Embed it. A zeroed one is empty and valid.
 *
 * Thread: whoever owns the struct.
 * Errors: growth past `bytes_max`, or a failed allocation, sets `failed`. Later appends are ignored, so a caller may
 * check once at the end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
    char *data; /* owned, but for that of buf_over() */
    size_t bytes;
    size_t capacity;  /* at most bytes_max + 1, so that what has room is within bytes_max too */
    size_t bytes_max; /* 0 means no bound. Set before the first append */
    bool failed;
};

/* One in memory of the caller's, of `capacity` bytes, at least 2. It holds one byte less, and never grows. What does
 * not fit sets `failed`. There is nothing to free, so no buf_fini(). */
static inline struct buf buf_over(char *space, size_t capacity)
{
    return (struct buf){.data = space, .capacity = capacity, .bytes_max = capacity - 1};
}

void buf_fini(struct buf *b);  /* frees the memory. It is usable again, with its `bytes_max` */
void buf_clear(struct buf *b); /* empties it, and keeps the memory */
/* The slower half of buf_reserve(). It is not inlined, so who finds room needs no frame for calling realloc(). */
char *buf_make_room(struct buf *b, size_t bytes);

/* One byte more than asked for, so that the NUL of vsnprintf() never needs a second try. */
static inline bool buf_has_room(const struct buf *b, size_t bytes) { return bytes < b->capacity - b->bytes; }

/* Returns room for at least `bytes` more, or NULL and sets `failed`. buf_grew() says how many were written. */
static inline char *buf_reserve(struct buf *b, size_t bytes)
{
    return buf_has_room(b, bytes) && !b->failed ? b->data + b->bytes : buf_make_room(b, bytes);
}

void buf_append(struct buf *b, const void *data, size_t bytes);
void buf_append_slice(struct buf *b, struct slice s);
void buf_append_u64(struct buf *b, uint64_t value); /* decimal */
/* Writes the same into room that buf_reserve() gave, at most BUF_DIGITS_MAX bytes. Returns the end of it. */
#define BUF_DIGITS_MAX 20 /* of UINT64_MAX */
char *buf_put_u64(char *at, uint64_t value);
void buf_append_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops `bytes`, at most all, from the front and moves the rest down. O(what is left). */
void buf_consume(struct buf *b, size_t bytes);

static inline void buf_grew(struct buf *b, size_t bytes) { b->bytes += bytes; }
static inline struct slice buf_slice(const struct buf *b) { return (struct slice){b->data, b->bytes}; }
