#include "admin/limits.h"

#include <stddef.h>

#include "base/log.h"

#define AGAIN_MS 60000

struct limit {
    const char *option, *effect;
    size_t stat; /* offset in struct worker_stats … */
    int refusal; /* … or, when it is not API_ALLOWED, a reason of the api's */
};

static const struct limit limits[] = {
    {"--max-conns", "the longest idle connections are closed for new ones",
     offsetof(struct worker_stats, conns_shed_full), API_ALLOWED},
    {"--max-conns-client", "new connections of one client are closed", offsetof(struct worker_stats, conns_shed_client),
     API_ALLOWED},
    {"--max-buffer-bytes", "the longest idle requests are closed", offsetof(struct worker_stats, buffer_evicted),
     API_ALLOWED},
    {"--max-buffer-bytes", "requests that need memory are answered 503", offsetof(struct worker_stats, buffer_refused),
     API_ALLOWED},
    {"--max-keys-ns", "hits on new keys of one namespace are answered 503", 0, API_REFUSED_NAMESPACE_KEYS},
    {"--new-keys", "hits on new keys are answered 429", 0, API_REFUSED_NEW_KEY_RATE},
    {"--max-keys", "hits on new keys are answered 503", 0, API_REFUSED_KEY_LIMIT},
};
#define LIMITS (sizeof(limits) / sizeof(*limits))
_Static_assert(LIMITS <= LIMITS_WATCHED, "each is watched");

static uint64_t reached(const struct limit *l, const struct sources *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->workers_count; i++) {
        const char *stats = (const char *)worker_stats(s->workers[i]);
        sum += stat_read(l->refusal == API_ALLOWED ? (const uint64_t *)(const void *)(stats + l->stat)
                                                   : &api_stats(s->api, i)->hits_refused[l->refusal]);
    }
    return sum;
}

void limits_tick(struct limits_watch *w, const struct sources *s, uint64_t now_ms)
{
    for (size_t i = 0; i < LIMITS; i++) {
        uint64_t count = reached(&limits[i], s);
        if (count == w->seen[i] || (w->said_ms[i] != 0 && now_ms - w->said_ms[i] < AGAIN_MS))
            continue;
        LOG_WARN("limit_reached", log_str("limit", limits[i].option), log_num("times", (int64_t)(count - w->seen[i])),
                 log_str("effect", limits[i].effect));
        w->seen[i] = count;
        w->said_ms[i] = now_ms;
    }
}
