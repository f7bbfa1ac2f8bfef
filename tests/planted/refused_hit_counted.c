/* Planted: a hit that is refused for its query has been counted by then, once, as if it had none. */
#include "request/api_worker.h"
#include "sync/atomic.h"
#include "tally/name.h"

void __real_answer_refusal(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                           enum api_refusal why);
void __wrap_answer_refusal(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                           enum api_refusal why);

void __wrap_answer_refusal(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                           enum api_refusal why)
{
    static const struct slice route = SLICE("/v1/hit/");
    char scratch[NAME_BYTES_MAX];
    struct slice name, path = {r->path.at + route.bytes, r->path.bytes - route.bytes};

    if ((why == API_REFUSED_BAD_N || why == API_REFUSED_BAD_QUERY) && name_from_path(path, scratch, &name) == NAME_OK &&
        tally_hit(aw->api->config.tally, aw->index, name, 1) == TALLY_COUNTED)
        stat_add(&aw->stats.hits_accepted, 1);
    __real_answer_refusal(aw, r, reply, why);
}
