/* GET and DELETE /v1/keys/{ns}?prefix=: which keys there are, page by page, and to be rid of them. What a page is:
 * owed/scan.h. */

#include <stdlib.h>

#include "api/routes.h"
#include "api/walk.h"
#include "flush/mailbox.h"
#include "forms/cursor.h"
#include "forms/json.h"
#include "forms/keys_query.h"
#include "request/ask.h"
#include "request/lookup.h"
#include "request/right.h"

/* The newer of what was read in the store and what the flusher published since. */
static void key_append(struct api_worker *aw, struct buf *b, const struct scan *scan, uint32_t i, uint64_t now_ms)
{
    struct slice name = scan_name_at(scan, i);
    buf_append_slice(b, SLICE("{\"key\":"));
    json_append_string(b, name_key(name));
    buf_append_slice(b, SLICE(",\"value\":"));
    buf_append_i64(b, lookup_listed(aw, name, scan->names[i].value, now_ms));
    buf_append(b, "}", 1);
}

static void answer_page(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                        const struct scan *scan)
{
    struct buf body = {0};
    buf_append_slice(&body, SLICE("{\"keys\":["));
    for (uint32_t i = 0, n = 0; i < scan->count; i++)
        if (scan->names[i].there) {
            buf_append(&body, ",", n++ > 0);
            key_append(aw, &body, scan, i, reply->now_ms);
        }
    stat_add(&aw->stats.keys_listed, scan->count);
    buf_append_slice(&body, SLICE("],\"cursor\":"));
    walk_append_cursor(&body, scan);
    buf_append_slice(&body, SLICE("}\n"));
    answer_json(aw, r, reply, 200, buf_slice(&body));
    buf_fini(&body);
}

static enum handler_result list_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct scan *scan = walk_page(aw, r, reply);
    if (scan)
        answer_page(aw, r, reply, scan);
    return HANDLED;
}

static enum handler_result list(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                const struct keys_query *q)
{
    if (!right_check(aw, r, reply, TOKEN_READ, keys_query_ns(q)))
        return HANDLED;
    return walk_begin(aw, r, reply, q, list_resume) ? WAITING : HANDLED;
}

enum handler_result route_keys(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                               struct slice path)
{
    bool writable = aw->policy && aw->policy->tokens, deletes = r->method == HTTP_DELETE;
    if (deletes && !writable && !aw->trusted) {
        answer_not_allowed(aw, r, reply, "GET, HEAD, OPTIONS",
                           "who may write counters stands in --token-file, and there is none");
        return HANDLED;
    }
    if (r->method != HTTP_GET && r->method != HTTP_HEAD && (!deletes || aw->trusted)) {
        answer_method(aw, r, reply, writable ? "GET, HEAD, DELETE, OPTIONS" : "GET, HEAD, OPTIONS");
        return HANDLED;
    }
    struct keys_query q;
    const char *detail,
        *wrong = keys_query_read(&q, path, r->query, deletes ? KEYS_LIMIT_DELETED : KEYS_LIMIT, &detail);
    if (wrong) {
        answer_error(aw, r, reply, 400, wrong, detail, NULL);
        return HANDLED;
    }
    return deletes ? keys_delete(aw, r, reply, &q) : list(aw, r, reply, &q);
}
