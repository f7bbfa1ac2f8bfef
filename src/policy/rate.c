#include "policy/rate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/siphash.h"

#define SETS (1u << 14)
#define WAYS 4
#define TOKEN 1000u /* a bucket counts thousandths, so that every millisecond adds a whole number */
#define IPV6_CLIENT_BYTES 8

struct bucket {
    uint64_t client; /* hash; 0: free */
    uint64_t level;
    uint64_t at_ms; /* when it was filled up last */
};

struct rate {
    struct siphash_key key; /* random: nobody can choose whose bucket to share */
    struct bucket sets[SETS][WAYS];
};

int rate_create(struct rate **out)
{
    struct rate *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    int failed = random_bytes(&r->key, sizeof(r->key));
    if (failed)
        rate_destroy(r);
    else
        *out = r;
    return failed;
}

void rate_destroy(struct rate *r) { free(r); }

static uint64_t client_hash(const struct rate *r, const struct ip *client)
{
    struct slice bytes = {(const char *)client->bytes, ip_is_v4(client) ? sizeof(client->bytes) : IPV6_CLIENT_BYTES};
    uint64_t hash = siphash13(&r->key, bytes.at, bytes.bytes);
    return hash ? hash : 1;
}

static uint64_t level_now(const struct bucket *b, uint32_t per_second, uint32_t burst, uint64_t now_ms)
{
    uint64_t full = (uint64_t)burst * TOKEN, missing = b->level < full ? full - b->level : 0;
    uint64_t passed_ms = now_ms - b->at_ms;
    return passed_ms >= missing / per_second + 1 ? full : b->level + passed_ms * per_second;
}

/* The client's bucket, or one that is given to it, full. */
static struct bucket *bucket_get(struct rate *r, uint64_t client, uint32_t per_second, uint32_t burst, uint64_t now_ms)
{
    struct bucket *set = r->sets[client % SETS], *fullest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].client == client)
            return &set[i];
        if (set[i].client == 0 || (fullest->client != 0 && level_now(&set[i], per_second, burst, now_ms) >
                                                               level_now(fullest, per_second, burst, now_ms)))
            fullest = &set[i];
    }
    *fullest = (struct bucket){client, (uint64_t)burst * TOKEN, now_ms};
    return fullest;
}

uint32_t rate_take(struct rate *r, const struct ip *client, uint32_t per_second, uint32_t burst, uint64_t now_ms)
{
    struct bucket *b = bucket_get(r, client_hash(r, client), per_second, burst, now_ms);
    b->level = level_now(b, per_second, burst, now_ms);
    b->at_ms = now_ms;
    if (b->level < TOKEN)
        return (uint32_t)((TOKEN - b->level + (uint64_t)per_second * 1000 - 1) / ((uint64_t)per_second * 1000));
    b->level -= TOKEN;
    return 0;
}
