#pragma once
/* A borrowed run of bytes. It has no NUL at its end, and is never owned.
 *
 * Thread: pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *at;
    size_t bytes;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline bool slice_equals(struct slice a, struct slice b)
{
    /* An empty slice may have no address, and memcmp() may not be given one. */
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

static inline struct slice slice_of(const char *text) { return (struct slice){text, strlen(text)}; }

static inline bool slice_begins_with(struct slice text, struct slice start)
{
    return text.bytes >= start.bytes && (start.bytes == 0 || memcmp(text.at, start.at, start.bytes) == 0);
}

/* As memcmp(). What another begins with comes before it. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t bytes = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = bytes > 0 ? memcmp(a.at, b.at, bytes) : 0;
    return order != 0 ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}
