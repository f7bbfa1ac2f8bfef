#pragma once
/* What was counted in a namespace, all keys together (DESIGN 4.6).
 *
 * Thread: the worker's. */

#include "api/api_worker.h"

/* Does the query ask for it? NULL or the token of what is wrong with it. */
const char *total_asked(struct slice query, bool *asked);
/* GET /v1/counters/{ns}?total=1; `path` is "ns" or "ns/". */
enum handler_result route_total(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                struct slice path);
