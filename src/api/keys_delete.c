/* DELETE /v1/keys/{ns}?prefix=: the keys of one page, one after the other, each by the fenced write of
 * DELETE /v1/counters/{ns}/{key} (owed/writes.h). Who leaves meanwhile has deleted those that were under way. */

#include "api/routes.h"
#include "api/walk.h"
#include "flush/mailbox.h"
#include "forms/keys_query.h"
#include "request/ask.h"
#include "request/right.h"
#include "sync/atomic.h"

#define WRITE_DEADLINE_MS 5000
#define WRITE_WAIT_MS 5500

static enum handler_result fail(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                                const char *token, const char *detail, const char *extra)
{
    stat_add(&aw->stats.writes[status == 504 ? API_WRITE_IN_DOUBT : API_WRITE_REFUSED], 1);
    answer_error(aw, r, reply, status, token, detail, extra);
    return HANDLED;
}

static enum handler_result answer_deleted(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                          const struct scan *scan)
{
    struct buf body = {0};
    buf_printf(&body, "{\"deleted\":%u,\"cursor\":", scan->count);
    walk_append_cursor(&body, scan);
    buf_append_slice(&body, SLICE("}\n"));
    answer_json(aw, r, reply, 200, buf_slice(&body));
    buf_fini(&body);
    return HANDLED;
}

/* The write of the name before has ended, or the page has come. */
static enum handler_result go_on(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                 const struct scan *scan)
{
    uint32_t next = ask_note_read(reply);
    if (next > 0) {
        enum answer_state state = (enum answer_state)ask_answer(reply)->results[0].state;
        store_relaxed_u64(&aw->api->written_ms, reply->now_ms); /* partner: believed_since_ms() */
        if (state == ANSWER_IN_DOUBT)
            return fail(aw, r, reply, 504, "in_doubt", "some are removed; the same request again is safe", NULL);
        if (state != ANSWER_FOUND)
            return fail(aw, r, reply, 503, "not_written", "some may be removed; try again", "Retry-After: 1\r\n");
        stat_add(&aw->stats.writes[API_WRITE_DONE], 1);
    }
    if (next == scan->count)
        return answer_deleted(aw, r, reply, scan);
    if (!ask_again(aw, reply, ASK_DELETE, scan_name_at(scan, next), WRITE_DEADLINE_MS, WRITE_WAIT_MS))
        return fail(aw, r, reply, 503, "busy", "some may be removed; try again", "Retry-After: 1\r\n");
    ask_note(reply, next + 1);
    return WAITING;
}

static enum handler_result delete_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    if (!ask_answer(reply))
        return fail(aw, r, reply, 504, "in_doubt", "some may be removed; the same request again is safe", NULL);
    const struct scan *scan = ask_note_read(reply) > 0 ? ask_answer(reply)->scan : walk_page(aw, r, reply);
    return scan ? go_on(aw, r, reply, scan) : HANDLED;
}

enum handler_result keys_delete(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                const struct keys_query *q)
{
    if (!right_check(aw, r, reply, TOKEN_WRITE, keys_query_ns(q)))
        return HANDLED;
    if (q->begins_bytes == q->ns_bytes + 1)
        return fail(aw, r, reply, 400, "no_prefix", "say which keys: ?prefix= with what they begin with", NULL);
    if (aw->api->config.embedded)
        return fail(aw, r, reply, 501, "no_store", "counts can be removed from a store only: start tallyd with --redis",
                    NULL);
    return walk_begin(aw, r, reply, q, delete_resume) ? WAITING : HANDLED;
}
