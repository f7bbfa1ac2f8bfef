#pragma once
/* What was counted in a namespace, all keys together (DESIGN 4.6).
 *
 * Thread: the worker's. */

#include "request/api_worker.h"

/* ---- for streams: what follows a total has the name of the first partition's (tally/name.h) ---- */
/* The last that was said of it, however old, TOTAL_NONE among it. Returns false when nothing was. */
bool total_peek(const struct api_worker *aw, struct slice name, int64_t *value);
/* Asks the flusher, so that total_peek() knows it later. */
void total_refresh(struct api_worker *aw, struct slice name, uint64_t now_ms);

#define TOTAL_NONE_DETAIL                                                                                              \
    "256 namespaces were counted before this one, and no more of them have totals; its keys are counted as ever"
/* Has the namespace no total? Then it is answered 404. */
bool total_is_none(struct api_worker *aw, const struct http_request *r, struct reply *reply, int64_t value);

/* Does the query ask for it? NULL or the token of what is wrong with it. */
const char *total_asked(struct slice query, bool *asked);
/* GET /v1/counters/{ns}?total=1. `path` is "ns" or "ns/". */
enum handler_result route_total(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                struct slice path);
