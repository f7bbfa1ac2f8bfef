#include "owed/sums.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/region.h"
#include "base/siphash.h"

#define PLACES (4 * SUMS_NAMESPACES_MAX) /* of the index */
#define LATE_PLACES (2 * SUMS_LATE_MAX)

struct sums {
    uint32_t partitions;
    uint32_t count;
    uint16_t last; /* the namespace that was noted last */
    uint32_t late_count;
    uint64_t *late;         /* owned: hashes of names that came too late, or NULL while none did. 0: free */
    struct sum *at;         /* owned region; by namespace and partition */
    uint16_t index[PLACES]; /* by hash of the name: its number + 1. 0: free */
    struct sum_namespace namespaces[SUMS_NAMESPACES_MAX];
};

static size_t region_bytes(const struct sums *s)
{
    return (size_t)SUMS_NAMESPACES_MAX * s->partitions * sizeof(s->at[0]);
}

int sums_create(struct sums **out, uint32_t partitions)
{
    struct sums *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->partitions = partitions;
    s->at = region_reserve(region_bytes(s));
    if (!s->at) {
        free(s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

void sums_destroy(struct sums *s)
{
    if (!s)
        return;
    region_release(s->at, region_bytes(s));
    free(s->late);
    free(s);
}

/* The few that there may be need no secret key. */
static uint64_t hash_of(struct slice ns)
{
    static const struct siphash_key key = {0, 0};

    return siphash13(&key, ns.at, ns.bytes);
}

/* Where it is in the index, or where it would be. */
static uint32_t place_of(const struct sums *s, struct slice ns)
{
    uint32_t place = (uint32_t)hash_of(ns) % PLACES;

    while (s->index[place] && !slice_equals(sums_name(s, s->index[place] - 1), ns))
        place = (place + 1) % PLACES;
    return place;
}

uint16_t sums_find(const struct sums *s, struct slice ns) { return (uint16_t)(s->index[place_of(s, ns)] - 1); }

/* ---- those that come too late ---- */

static uint64_t *late_place(const struct sums *s, struct slice ns)
{
    uint64_t hash = hash_of(ns) | 1;
    uint32_t place = (uint32_t)(hash >> 32) % LATE_PLACES;

    while (s->late[place] && s->late[place] != hash)
        place = (place + 1) % LATE_PLACES;
    return &s->late[place];
}

/* Without memory it is noted when it comes again. */
static void note_late(struct sums *s, struct slice ns)
{
    if (!s->late)
        s->late = calloc(LATE_PLACES, sizeof(s->late[0]));
    if (!s->late || s->late_count == SUMS_LATE_MAX)
        return;
    uint64_t *place = late_place(s, ns);
    s->late_count += *place == 0;
    *place = hash_of(ns) | 1;
}

bool sums_is_late(const struct sums *s, struct slice ns)
{
    if (s->late_count == 0 || sums_find(s, ns) != SUM_NONE)
        return false;
    return s->late_count == SUMS_LATE_MAX || *late_place(s, ns) != 0;
}

uint32_t sums_late(const struct sums *s) { return s->late_count; }

/* ---- those that have one ---- */

static uint16_t add_namespace(struct sums *s, struct slice ns, uint32_t place)
{
    if (s->count == SUMS_NAMESPACES_MAX) {
        note_late(s, ns);
        return SUM_NONE;
    }
    assert(ns.bytes <= NAME_NS_BYTES_MAX);
    struct sum_namespace *n = &s->namespaces[s->count];
    memcpy(n->name, ns.at, ns.bytes);
    n->name_bytes = (uint8_t)ns.bytes;
    s->index[place] = (uint16_t)++s->count;
    return (uint16_t)(s->count - 1);
}

uint16_t sums_intern(struct sums *s, struct slice ns)
{
    /* New keys come in runs of one namespace. */
    if (s->count && slice_equals(sums_name(s, s->last), ns))
        return s->last;
    uint32_t place = place_of(s, ns);
    uint16_t found = s->index[place] ? (uint16_t)(s->index[place] - 1) : add_namespace(s, ns, place);
    if (found != SUM_NONE)
        s->last = found;
    return found;
}

uint32_t sums_count(const struct sums *s) { return s->count; }
uint32_t sums_partitions(const struct sums *s) { return s->partitions; }

struct sum_namespace *sums_namespace(const struct sums *s, uint16_t ns)
{
    return (struct sum_namespace *)(uintptr_t)&s->namespaces[ns];
}

struct slice sums_name(const struct sums *s, uint16_t ns)
{
    return (struct slice){s->namespaces[ns].name, s->namespaces[ns].name_bytes};
}

struct sum *sums_at(const struct sums *s, uint16_t ns, uint32_t partition)
{
    return &s->at[(size_t)ns * s->partitions + partition];
}

uint32_t sums_owing(const struct sums *s, uint32_t partition)
{
    uint32_t owing = 0;

    for (uint16_t ns = 0; ns < s->count; ns++)
        owing += sums_at(s, ns, partition)->owed != 0;
    return owing;
}

void sum_publish(struct sum *s, int64_t total, uint64_t now_ms)
{
    s->known = total + s->owed;
    s->stored_then = s->stored;
    s->as_of_ms = now_ms ? now_ms : 1; /* 0 is kept for "never" */
}

void sums_begin_anew(struct sums *s, uint32_t partition)
{
    for (uint16_t ns = 0; s && ns < s->count; ns++)
        sums_at(s, ns, partition)->owed = 0;
}

void sums_retry(struct sums *s)
{
    for (uint32_t ns = 0; ns < s->count; ns++)
        s->namespaces[ns].rests = false;
}
