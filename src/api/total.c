/* GET /v1/counters/{ns}?total=1: what was counted in a namespace. The flusher sums it up (flush/total_asks.h). */
#include "api/total.h"

#include <string.h>

#include "forms/json.h"
#include "http/request.h"
#include "request/ask.h"
#include "request/lookup.h"
#include "request/newcomer.h"
#include "tally/answers.h"

#define ASK_DEADLINE_MS 400
#define ASK_WAIT_MS 600

const char *total_asked(struct slice query, bool *asked)
{
    struct slice name, value;
    bool keys = false;
    *asked = false;
    while (query.at && http_query_next(&query, &name, &value)) {
        keys |= http_query_is(name, SLICE("key"));
        if (!http_query_is(name, SLICE("total")))
            continue;
        if (*asked || !slice_equals(value, SLICE("1")))
            return "bad_total";
        *asked = true;
    }
    return *asked && keys ? "bad_total" : NULL;
}

static struct slice ns_of(struct slice path)
{
    path.bytes -= path.bytes > 0 && path.at[path.bytes - 1] == '/';
    return path;
}

static enum handler_result refuse(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                                  const char *token, const char *detail)
{
    answer_error(aw, r, reply, status, token, detail, status == 503 ? "Retry-After: 1\r\n" : NULL);
    return HANDLED;
}

static void total_append(struct buf *b, struct slice ns, const struct read_total *t, uint64_t now_ms)
{
    buf_append_slice(b, SLICE("{\"ns\":"));
    json_append_string(b, ns);
    buf_append_slice(b, SLICE(",\"total\":"));
    buf_append_i64(b, t->value);
    buf_append_slice(b, SLICE(",\"pending\":"));
    buf_append_u64(b, t->pending);
    buf_append_slice(b, SLICE(",\"stale_ms\":"));
    buf_append_u64(b, now_ms > t->as_of_ms ? now_ms - t->as_of_ms : 0);
    buf_append_slice(b, SLICE("}\n"));
}

bool total_is_none(struct api_worker *aw, const struct http_request *r, struct reply *reply, int64_t value)
{
    if (value == TOTAL_NONE)
        refuse(aw, r, reply, 404, "no_total", TOTAL_NONE_DETAIL);
    return value == TOTAL_NONE;
}

static enum handler_result total_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct question *question = ask_answer(reply);
    if (question && !question->total.known && question->total.refused)
        return refuse(
            aw, r, reply, 503, "total_refused",
            "the store refuses the number !total:… of this namespace: it holds something else, or the user may "
            "not write it; what it lacks is added when it is mended");
    if (!question || !question->total.known)
        return refuse(aw, r, reply, 503, "store_unreachable", "the store does not answer; try again");
    if (total_is_none(aw, r, reply, question->total.value))
        return HANDLED;
    if (!question->total.found)
        return refuse(aw, r, reply, 404, "not_found",
                      "nothing was counted in this namespace; its total appears with its first hit");
    uint32_t partition;
    struct slice ns;
    struct buf body = {0};
    name_total_read(ask_name(reply, 0), &partition, &ns);
    total_append(&body, ns, &question->total, reply->now_ms);
    answer_json(aw, r, reply, 200, buf_slice(&body));
    buf_fini(&body);
    return HANDLED;
}

static struct question *question_about(const struct api_worker *aw, const struct reply *reply, struct slice ns)
{
    struct question *question = ask_question(aw, reply, aw->api->config.partitions, ASK_DEADLINE_MS);
    if (!question)
        return NULL;
    question->kind = ASK_TOTAL;
    question->since_ms = lookup_since_ms(aw, reply->now_ms);
    memcpy(question->results[0].name, ns.at, ns.bytes);
    question->results[0].name_bytes = (uint16_t)ns.bytes;
    return question;
}

bool total_peek(const struct api_worker *aw, struct slice name, int64_t *value)
{
    struct stored_answer said;
    if (!answers_find(tally_answers(aw->api->config.tally), name, 0, &said))
        return false;
    *value = said.stored;
    return true;
}

void total_refresh(struct api_worker *aw, struct slice name, uint64_t now_ms)
{
    const struct reply nobody = {.now_ms = now_ms};
    uint32_t partition;
    struct slice ns;
    if (name_total_read(name, &partition, &ns) && lookup_may_ask(aw, NULL, &nobody))
        ask_quietly(aw, question_about(aw, &nobody, ns));
}

enum handler_result route_total(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                struct slice path)
{
    struct slice ns = ns_of(path);
    const struct namespaces *namespaces = aw->api->config.namespaces;
    enum name_error error = name_check_ns(ns);
    if (error != NAME_OK)
        return refuse(aw, r, reply, 400, name_error_text(error), refusal_detail(refusal_of_name(error)));
    if (namespaces && !namespaces_have(namespaces, ns))
        return refuse(aw, r, reply, 404, "no_such_namespace", refusal_detail(API_REFUSED_NO_SUCH_NAMESPACE));
    if (!lookup_may_ask(aw, r, reply))
        return refuse(aw, r, reply, 503, "busy", "so many reads at once are not asked of the store; try again");
    if (ask_begin(aw, reply, question_about(aw, reply, ns), ASK_WAIT_MS, total_resume))
        return WAITING;
    return refuse(aw, r, reply, 503, "busy", "there are too many questions to the store; try again");
}
