/* Planted: nobody looks at what the keys of an earlier process, or of a store that forgot, hold. */
#include "flush/top_looks.h"

struct question *__wrap_top_looks_ask(struct top_looks *l);
uint64_t __wrap_top_looks_wake_us(const struct top_looks *l);

struct question *__wrap_top_looks_ask(struct top_looks *l)
{
    (void)l;
    return NULL;
}

uint64_t __wrap_top_looks_wake_us(const struct top_looks *l)
{
    (void)l;
    return UINT64_MAX;
}
