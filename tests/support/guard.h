#pragma once
/* Bytes that end where memory ends: one read too far is a SIGSEGV. */

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    char *start;
    char *end; /* of what may be read */
};

static inline struct guard guard_create(size_t bytes_max)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (bytes_max + page - 1) / page * page;
    char *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert(start != MAP_FAILED);
    assert(mprotect(start + room, page, PROT_NONE) == 0);
    return (struct guard){start, start + room};
}

static inline void guard_destroy(struct guard *g)
{
    munmap(g->start, (size_t)(g->end - g->start) + (size_t)sysconf(_SC_PAGESIZE));
}

/* A copy of `data` whose last byte is the last readable one. */
static inline char *guard_copy(const struct guard *g, const char *data, size_t bytes)
{
    assert(bytes <= (size_t)(g->end - g->start));
    return memcpy(g->end - bytes, data, bytes);
}
