#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_MIN 256

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.bytes_max = b->bytes_max};
}

void buf_clear(struct buf *b)
{
    b->bytes = 0;
    b->failed = false;
}

static bool buf_grow(struct buf *b, size_t capacity_min)
{
    size_t capacity = b->capacity ? b->capacity : CAPACITY_MIN;

    while (capacity < capacity_min)
        capacity *= 2;
    if (b->bytes_max > 0 && capacity > b->bytes_max)
        capacity = b->bytes_max + 1;
    char *data = realloc(b->data, capacity);
    if (!data)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

static bool buf_may_hold(const struct buf *b, size_t bytes)
{
    size_t bytes_max = b->bytes_max ? b->bytes_max : SIZE_MAX / 4;

    return b->bytes <= bytes_max && bytes <= bytes_max - b->bytes;
}

char *buf_make_room(struct buf *b, size_t bytes)
{
    if (!b->failed && buf_may_hold(b, bytes) && (buf_has_room(b, bytes) || buf_grow(b, b->bytes + bytes + 1)))
        return b->data + b->bytes;
    b->failed = true;
    return NULL;
}

void buf_append(struct buf *b, const void *data, size_t bytes)
{
    char *room = buf_reserve(b, bytes);

    if (!room || bytes == 0)
        return;
    memcpy(room, data, bytes);
    buf_grew(b, bytes);
}

void buf_append_slice(struct buf *b, struct slice s) { buf_append(b, s.at, s.bytes); }

char *buf_put_u64(char *at, uint64_t value)
{
    char digits[BUF_DIGITS_MAX];
    char *first = digits + sizeof(digits);

    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    size_t bytes = (size_t)(digits + sizeof(digits) - first);
    memcpy(at, first, bytes);
    return at + bytes;
}

void buf_append_u64(struct buf *b, uint64_t value)
{
    char digits[BUF_DIGITS_MAX];

    buf_append(b, digits, (size_t)(buf_put_u64(digits, value) - digits));
}

void buf_append_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_append(b, "-", 1);
    buf_append_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = bytes < 0 ? NULL : buf_reserve(b, (size_t)bytes);
    if (!room) {
        b->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(room, (size_t)bytes + 1, format, args);
    va_end(args);
    buf_grew(b, (size_t)bytes);
}

void buf_consume(struct buf *b, size_t bytes)
{
    assert(bytes <= b->bytes);
    b->bytes -= bytes;
    if (b->bytes)
        memmove(b->data, b->data + bytes, b->bytes);
}
