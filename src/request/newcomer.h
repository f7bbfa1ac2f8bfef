#pragma once
/* May this key be counted, which nobody has counted in this process yet? A new key costs memory, so namespaces, clients
 * and workers have shares of it. Keys that are known need no share.
 *
 * Thread: the worker's. The numbers of keys are those of tally/places.h. */

#include "base/error.h"
#include "request/api_worker.h"

/* Rates are of a second. So many seconds of them may come at once. */
#define NEWCOMER_BURST_S 100
#define NAMESPACES_MAX 256

struct namespaces {
    uint32_t count;                     /* 0 when every namespace exists */
    struct slice names[NAMESPACES_MAX]; /* in their order */
};

/* Reads "blog,shop". The text must outlive it. Returns 0, or -EINVAL with a sentence. */
int namespaces_parse(struct namespaces *n, const char *list, struct error *err);
bool namespaces_have(const struct namespaces *n, struct slice ns);

/* Counts `n` hits. Returns API_ALLOWED when they are counted. After API_REFUSED_NEW_KEY_RATE aw->retry_after_s says
 * when. */
enum api_refusal newcomer_hit(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                              struct slice name, uint64_t n);

/* The same for any key. */
static inline enum api_refusal hit_take(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                                        struct slice name, uint64_t n)
{
    enum tally_result result = tally_hit_known(aw->api->config.tally, aw->index, name, n);

    if (result != TALLY_COUNTED) {
        enum api_refusal why = result == TALLY_NEW ? newcomer_hit(aw, r, reply, name, n) : refusal_of_tally(result);
        if (why != API_ALLOWED)
            return why;
    }
    stat_add(&aw->stats.hits_accepted, n);
    return API_ALLOWED;
}
