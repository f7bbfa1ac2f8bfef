#include "tally/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "sync/atomic.h"
#include "tally/name.h"

int places_create(struct places **out, uint32_t max)
{
    struct places *p = aligned_alloc(_Alignof(struct places), sizeof(*p));

    if (!p)
        return -ENOMEM;
    memset(p, 0, sizeof(*p));
    p->max = max;
    int failed = random_bytes(&p->key, sizeof(p->key));
    if (failed)
        places_destroy(p);
    else
        *out = p;
    return failed;
}

void places_destroy(struct places *p) { free(p); }

uint32_t places_namespace(const struct places *p, struct slice name)
{
    struct slice ns = name_ns(name);

    return (uint32_t)siphash13(&p->key, ns.at, ns.bytes) % PLACES_NAMESPACES;
}

/* All loads here are relaxed because the numbers guard nothing but themselves; partner: the same on other threads. */
uint32_t places_in_namespace(const struct places *p, uint32_t ns) { return load_relaxed_u32(&p->by_namespace[ns]); }

bool places_are_full(const struct places *p) { return load_relaxed_u32(&p->taken) >= p->max; }

/* Looked at before it is taken: a flood of new names past the limit must not have the workers fight for this line. */
bool places_take(struct places *p, struct slice name)
{
    if (places_are_full(p))
        return false;
    if (fetch_add_u32(&p->taken, 1) >= p->max) {
        fetch_add_u32(&p->taken, UINT32_MAX);
        return false;
    }
    fetch_add_u32(&p->by_namespace[places_namespace(p, name)], 1);
    return true;
}

void places_add(struct places *p, struct slice name)
{
    fetch_add_u32(&p->taken, 1);
    fetch_add_u32(&p->by_namespace[places_namespace(p, name)], 1);
}

void places_give_back(struct places *p, uint32_t ns)
{
    fetch_add_u32(&p->by_namespace[ns], UINT32_MAX);
    fetch_add_u32(&p->taken, UINT32_MAX);
}
