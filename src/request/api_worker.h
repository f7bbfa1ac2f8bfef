#pragma once
/* What one worker's handler owns, and the pieces that its routes share. Private to api/ and request/.
 *
 * Thread: the worker's. Others read `stats`. */

#include <stdbool.h>

#include "net/handler.h"
#include "policy/policy.h"
#include "request/api_config.h"
#include "request/stats.h"
#include "sync/atomic.h"
#include "tally/tally.h"

struct board;         /* api/board.h */
struct http_template; /* http/response.h */
struct rate;          /* policy/rate.h */
struct streams;       /* api/streams.h */
struct worker;        /* net/worker.h */

struct api_worker {
    struct api *api;
    uint32_t index;
    bool trusted;                /* It is the admin port's. Who asks may read, and no page of the web is told */
    struct worker *worker;       /* borrowed */
    const struct policy *policy; /* borrowed, or NULL without any rules */
    struct rate *rate;           /* owned, or NULL without a limit */
    struct rate *readers;        /* owned. Names asked of the store by clients, and by all together */
    struct rate *newcomers;      /* owned. New keys of clients, and of all together */
    uint32_t retry_after_s;      /* of the hit that was refused for its rate */
    struct streams *streams;     /* owned */
    struct http_template *counted, *pixel;
    const struct policy *policy_taken; /* the same, for main to see */
    struct api_stats stats;
};

struct api {
    struct api_config config;
    struct board *board;         /* owned. Namespaces, as the admin's worker ranked them last */
    uint32_t exporting;          /* 1 while an export is under way. Any worker */
    uint64_t written_ms;         /* the last seed or reset, or 0. Any worker */
    const struct policy *policy; /* the newest. Main publishes it, and workers take it (take_policy()) */
    uint32_t workers;
    struct api_worker per_worker[];
};

#define PRIVATE_HEADERS "Cache-Control: no-store\r\n"
/* Headers of every answer that a page of another origin may read, and that no cache may keep. */
#define API_HEADERS                                                                                                    \
    "Cache-Control: no-cache, no-store\r\n"                                                                            \
    "Access-Control-Allow-Origin: *\r\n"                                                                               \
    "Cross-Origin-Resource-Policy: cross-origin\r\n"
/* Likewise of a hit. The page that made it may read what became of it (Fetch standard, CORS-safelisted response-header
 * name). */
#define HIT_HEADERS API_HEADERS "Access-Control-Expose-Headers: X-Hit-Status\r\n"
#define ERROR_HEADERS API_HEADERS "Access-Control-Expose-Headers: X-Hit-Status, Retry-After\r\n"

/* ---- answers (answer.c) ---- */
void answer_json(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                 struct slice body);
/* Answers {"error":"<token>","detail":"<sentence>"}. `extra` has further header lines, or is NULL. */
void answer_error(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                  const char *token, const char *detail, const char *extra);
/* Answers 400, since the body has a member that it should not have. The answer names it. `extra` as above. */
void answer_stranger(struct api_worker *aw, const struct http_request *r, struct reply *reply, struct slice member,
                     const char *detail, const char *extra);
/* Answers a hit that was not counted, with its status and X-Hit-Status, and counts it in the metric. */
void answer_refusal(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum api_refusal why);
/* Answers 405. */
void answer_not_allowed(struct api_worker *aw, const struct http_request *r, struct reply *reply, const char *allow,
                        const char *detail);
/* Answers OPTIONS by 204, and a method that the path does not take by 405. */
void answer_method(struct api_worker *aw, const struct http_request *r, struct reply *reply, const char *allow);
/* Counts an answer, as the functions above do themselves. Inlined because the hot status is constant, so that nothing
 * is divided. */
static inline void answer_count(struct api_worker *aw, int status) { stat_add(&aw->stats.responses[status / 100], 1); }
const char *refusal_text(enum api_refusal why);
const char *refusal_detail(enum api_refusal why); /* what to do about it */
/* Is nothing wrong with the hit, and it is only not wanted? Then its answer has the form of one that counted. */
bool refusal_is_filter(enum api_refusal why);
/* Appends API_HEADERS and "X-Hit-Status: …" of a hit. API_ALLOWED says that it is counted. */
void hit_status_append(struct buf *b, enum api_refusal why);
void refusal_count(struct api_worker *aw, enum api_refusal why); /* in the metric, as answer_refusal() does itself */
enum api_refusal refusal_of_name(enum name_error e);
enum api_refusal refusal_of_tally(enum tally_result result);
