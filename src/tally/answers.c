#include "tally/answers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/region.h"
#include "base/siphash.h"
#include "sync/atomic.h"
#include "sync/seqlock.h"

#define SETS (1u << 13)
#define WAYS 4
#define FOUND UINT64_C(1)

struct way {
    uint64_t hash; /* of the name; 0: free */
    uint64_t stored;
    uint64_t at_ms_found; /* twice the time, and FOUND */
};

struct set {
    struct seqlock lock;
    struct way ways[WAYS];
};

struct answers {
    struct siphash_key key;
    struct set *sets; /* owned region, SETS of them: resident when they are used */
};

/* Zeroes are a lock that nobody has (seqlock_init()). */
int answers_create(struct answers **out)
{
    struct answers *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    a->sets = region_reserve(SETS * sizeof(a->sets[0]));
    int failed = a->sets ? random_bytes(&a->key, sizeof(a->key)) : -ENOMEM;
    if (failed)
        answers_destroy(a);
    else
        *out = a;
    return failed;
}

void answers_destroy(struct answers *a)
{
    if (!a)
        return;
    region_release(a->sets, SETS * sizeof(a->sets[0]));
    free(a);
}

static uint64_t hash_of(const struct answers *a, struct slice name)
{
    uint64_t hash = siphash13(&a->key, name.at, name.bytes);

    return hash ? hash : 1;
}

/* Its own way, a free one, or the one of the oldest answer. Only the writer moves ways, so it may look at them as it
 * is. */
static struct way *way_get(struct set *s, uint64_t hash)
{
    struct way *oldest = &s->ways[0];

    for (int i = 0; i < WAYS; i++) {
        if (s->ways[i].hash == hash)
            return &s->ways[i];
        if (s->ways[i].at_ms_found < oldest->at_ms_found)
            oldest = &s->ways[i];
    }
    return oldest;
}

/* The fields are relaxed because the sequence lock orders them (tally/totals.c). */
void answers_put(struct answers *a, struct slice name, const struct stored_answer *answer)
{
    uint64_t hash = hash_of(a, name);
    struct set *s = &a->sets[hash % SETS];
    struct way *w = way_get(s, hash);

    seqlock_write_begin(&s->lock); /* partner: answers_find() */
    store_relaxed_u64(&w->hash, hash);
    store_relaxed_u64(&w->stored, (uint64_t)answer->stored);
    store_relaxed_u64(&w->at_ms_found, answer->at_ms * 2 + (answer->found ? FOUND : 0));
    seqlock_write_end(&s->lock);
}

bool answers_find(const struct answers *a, struct slice name, uint64_t since_ms, struct stored_answer *out)
{
    uint64_t hash = hash_of(a, name), stored = 0, at_ms_found = 0;
    const struct set *s = &a->sets[hash % SETS];
    unsigned sequence;
    bool known;

    do {
        sequence = seqlock_read_begin(&s->lock); /* partner: answers_put() */
        known = false;
        for (int i = 0; i < WAYS && !known; i++) {
            known = load_relaxed_u64(&s->ways[i].hash) == hash;
            stored = load_relaxed_u64(&s->ways[i].stored);
            at_ms_found = load_relaxed_u64(&s->ways[i].at_ms_found);
        }
    } while (seqlock_read_retry(&s->lock, sequence));
    if (!known || at_ms_found / 2 < since_ms)
        return false;
    *out = (struct stored_answer){(int64_t)stored, at_ms_found & FOUND, at_ms_found / 2};
    return true;
}
