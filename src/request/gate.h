#pragma once
/* May this hit be counted? What the policy says, then how many its client has made.
 *
 * Thread: the worker's. */

#include "request/api_worker.h"

static inline bool gate_is_open(const struct api_worker *aw)
{
    return !aw->policy && !aw->rate && !aw->api->config.namespaces;
}
/* Returns API_ALLOWED when it may. After API_REFUSED_RATE aw->retry_after_s says when. */
enum api_refusal gate_check(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                            struct slice name);
