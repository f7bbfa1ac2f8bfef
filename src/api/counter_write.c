/* PUT and DELETE /v1/counters/{ns}/{key}, or /v1/counters/{ns}?key=…: seed and reset, for those with a token. What they
 * mean: owed/writes.h. */

#include <jansson.h>

#include "api/routes.h"
#include "flush/mailbox.h"
#include "forms/json.h"
#include "forms/one_key.h"
#include "policy/tokens.h"
#include "request/ask.h"
#include "sync/atomic.h"

#define WRITE_DEADLINE_MS 5000 /* the flusher answers by then … */
#define WRITE_WAIT_MS 5500     /* … and the request at the latest then */
#define VALUE_BODY "the body is {\\\"value\\\": N}, N from 0 to 2^63-1"

static enum handler_result fail(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                                const char *token, const char *detail, const char *extra)
{
    stat_add(&aw->stats.writes[status == 504 ? API_WRITE_IN_DOUBT : API_WRITE_REFUSED], 1);
    answer_error(aw, r, reply, status, token, detail, extra);
    return HANDLED;
}

/* Of {"value": 1000}; false: it was answered. */
static bool value_read(struct api_worker *aw, const struct http_request *r, struct reply *reply, int64_t *value)
{
    static const char *const members[] = {"value", NULL};
    bool no_memory;
    json_t *root = json_read(json_skip_mark(r->body), &no_memory);
    const json_t *number = json_object_get(root, "value");
    struct slice stranger = json_stranger(root, members);
    bool good = !stranger.at && number && json_read_whole(number, value) && *value >= 0;
    if (no_memory)
        fail(aw, r, reply, 503, "no_memory", "nothing was written; try again", "Retry-After: 1\r\n");
    else if (stranger.at) {
        stat_add(&aw->stats.writes[API_WRITE_REFUSED], 1);
        answer_stranger(aw, r, reply, stranger, VALUE_BODY, "");
    } else if (!good)
        fail(aw, r, reply, 400, "bad_value", VALUE_BODY, NULL);
    json_decref(root);
    return good;
}

static void answer_written(struct api_worker *aw, const struct http_request *r, struct reply *reply, struct slice name,
                           int64_t value)
{
    struct buf body = {0};
    stat_add(&aw->stats.writes[API_WRITE_DONE], 1);
    if (r->method == HTTP_PUT) {
        buf_append_slice(&body, SLICE("{\"ns\":"));
        json_append_string(&body, name_ns(name));
        buf_append_slice(&body, SLICE(",\"key\":"));
        json_append_string(&body, name_key(name));
        buf_printf(&body, ",\"value\":%lld}\n", (long long)value);
    }
    answer_json(aw, r, reply, r->method == HTTP_PUT ? 200 : 204, buf_slice(&body));
    buf_fini(&body);
}

static enum handler_result write_end(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct question *question = ask_answer(reply);
    enum answer_state state = question ? (enum answer_state)question->results[0].state : ANSWER_IN_DOUBT;
    store_relaxed_u64(&aw->api->written_ms, reply->now_ms); /* partner: believed_since_ms() */
    if (state == ANSWER_FOUND)
        answer_written(aw, r, reply, ask_name(reply, 0), question->results[0].stored);
    if (state == ANSWER_FAILED)
        return fail(aw, r, reply, 503, "not_written", "the store did not take it; nothing was written",
                    "Retry-After: 1\r\n");
    if (state == ANSWER_IN_DOUBT)
        return fail(aw, r, reply, 504, "in_doubt", "it may be written yet; the same request again is safe", NULL);
    return HANDLED;
}

static bool write_ask(struct api_worker *aw, struct reply *reply, enum question_kind kind, struct slice name,
                      int64_t value)
{
    struct question *question = ask_question(aw, reply, 1, WRITE_DEADLINE_MS);
    if (question) {
        question->kind = kind;
        question->results[0].stored = value;
        question->results[0].name_bytes = (uint16_t)name.bytes;
        memcpy(question->results[0].name, name.at, name.bytes);
    }
    return ask_begin(aw, reply, question, WRITE_WAIT_MS, write_end);
}

static enum handler_result write_begin(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                       struct slice name)
{
    int64_t value = 0;
    if (r->method == HTTP_PUT && !value_read(aw, r, reply, &value))
        return HANDLED;
    if (aw->api->config.embedded)
        return fail(aw, r, reply, 501, "no_store", "counts can be set in a store only: start tallyd with --redis",
                    NULL);
    if (mailbox_is_connected(aw->api->config.mailbox) &&
        write_ask(aw, reply, r->method == HTTP_PUT ? ASK_SET : ASK_DELETE, name, value))
        return WAITING;
    return fail(aw, r, reply, 503, "store_unreachable", "nothing was written; try again", "Retry-After: 1\r\n");
}

enum handler_result route_counter_write(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        struct slice path)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    enum name_error error;
    const char *wrong = one_key_read(r, path, scratch, &name, &error);
    if (wrong)
        return fail(aw, r, reply, 400, wrong, "/v1/counters/NAMESPACE/KEY or /v1/counters/NAMESPACE?key=KEY, one key",
                    NULL);
    switch (tokens_check(aw->policy->tokens, r->field[HTTP_FIELD_AUTHORIZATION], TOKEN_WRITE, name_ns(name))) {
    case TOKEN_GOOD: return write_begin(aw, r, reply, name);
    case TOKEN_NOT_ENOUGH:
        return fail(aw, r, reply, 403, "forbidden", "this token has neither write nor write:NAMESPACE in --token-file",
                    NULL);
    case TOKEN_MISSING:
        return fail(aw, r, reply, 401, "no_token",
                    "send Authorization: Bearer with a token of --token-file that has write or write:NAMESPACE",
                    "WWW-Authenticate: Bearer realm=\"tallyd\"\r\n");
    default:
        return fail(aw, r, reply, 401, "wrong_token", "this token is not in --token-file",
                    "WWW-Authenticate: Bearer realm=\"tallyd\", error=\"invalid_token\"\r\n");
    }
}
