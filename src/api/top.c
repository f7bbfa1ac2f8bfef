/* GET /v1/top/{ns}?n=10&window=all: the highest keys of a namespace. The flusher finds them (flush/top_asks.h). */

#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "base/clock.h"
#include "flush/mailbox.h"
#include "forms/json.h"
#include "http/request.h"
#include "request/ask.h"
#include "request/lookup.h"
#include "request/newcomer.h"
#include "request/right.h"

#define TOP_N 10
#define ASK_DEADLINE_MS 1000
#define ASK_WAIT_MS 1200

struct top_query {
    uint32_t n;
};

static bool n_read(struct slice text, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || *out > TOPS_SHOWN_MAX)
            return false;
        *out = *out * 10 + (uint32_t)(text.at[i] - '0');
    }
    return *out >= 1 && *out <= TOPS_SHOWN_MAX;
}

/* NULL, or the token of what is wrong. */
static const char *query_read(struct slice query, struct top_query *out, const char **detail)
{
    struct slice name, value;
    bool n = false, window = false;
    *out = (struct top_query){.n = TOP_N};
    while (query.at && http_query_next(&query, &name, &value)) {
        if (http_query_is(name, SLICE("n"))) {
            *detail = "n is a number from 1 to 100, once at most";
            if (n || !n_read(value, &out->n))
                return "bad_n";
            n = true;
        } else if (http_query_is(name, SLICE("window"))) {
            *detail = "window is all, which is the only one that there is, once at most";
            if (window || !slice_equals(value, SLICE("all")))
                return "bad_window";
            window = true;
        }
    }
    return NULL;
}

/* ---- the answer ---- */

struct shown {
    struct slice name;
    int64_t value;
};

static int by_value(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return slice_compare(x->name, y->name);
}

static void top_append(struct buf *b, struct slice ns, const struct shown *shown, uint32_t count)
{
    buf_append_slice(b, SLICE("{\"ns\":"));
    json_append_string(b, ns);
    buf_append_slice(b, SLICE(",\"window\":\"all\",\"top\":["));
    for (uint32_t i = 0; i < count; i++) {
        buf_append(b, ",", i > 0);
        buf_append_slice(b, SLICE("{\"key\":"));
        json_append_string(b, name_key(shown[i].name));
        buf_append_slice(b, SLICE(",\"value\":"));
        buf_append_i64(b, shown[i].value);
        buf_append(b, "}", 1);
    }
    buf_append_slice(b, SLICE("],\"as_of\":"));
    json_append_time(b, clock_wall_ms());
    buf_append_slice(b, SLICE("}\n"));
}

static enum handler_result refuse(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                  const char *token, const char *detail)
{
    answer_error(aw, r, reply, 503, token, detail, "Retry-After: 1\r\n");
    return HANDLED;
}

static enum handler_result top_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct question *question = ask_answer(reply);
    if (question && question->scan->state == SCAN_REFUSED)
        return refuse(aw, r, reply, "store_refuses",
                      "the store does not show the set !top:… of this namespace: it holds something else, or the user "
                      "needs ZREVRANGE");
    if (!question || !question->done)
        return refuse(aw, r, reply, "store_unreachable", "the store does not answer; try again");
    struct shown shown[TOP_RESULTS_MAX];
    uint32_t count = 0, found = 0;
    for (; count < question->count && count < TOP_RESULTS_MAX; count++) {
        const struct answer *result = &question->results[count];
        struct slice name = {result->name, result->name_bytes};
        if (result->state == ANSWER_FAILED)
            return refuse(aw, r, reply, "store_unreachable", "the store does not answer; try again");
        if (result->state == ANSWER_FOUND)
            shown[found++] = (struct shown){name, lookup_listed(aw, name, result->stored, reply->now_ms)};
    }
    qsort(shown, found, sizeof(shown[0]), by_value);
    struct buf body = {0};
    top_append(&body, (struct slice){question->scan->begins, question->scan->begins_bytes - 1u}, shown,
               found < question->limit ? found : question->limit);
    answer_json(aw, r, reply, 200, buf_slice(&body));
    buf_fini(&body);
    return HANDLED;
}

/* ---- the question ---- */

static struct question *question_about(const struct api_worker *aw, const struct reply *reply, struct slice ns,
                                       uint32_t n)
{
    char begins[NAME_NS_BYTES_MAX + 1];
    uint32_t partitions = aw->api->config.partitions;
    struct question *question =
        ask_question(aw, reply, partitions > TOP_RESULTS_MAX ? partitions : TOP_RESULTS_MAX, ASK_DEADLINE_MS);
    if (!question)
        return NULL;
    memcpy(begins, ns.at, ns.bytes);
    begins[ns.bytes] = '/';
    question->kind = ASK_TOP;
    question->limit = n;
    question->count = partitions;
    question->results[0].name_bytes = (uint16_t)ns.bytes;
    memcpy(question->results[0].name, ns.at, ns.bytes);
    question->scan = scan_create((struct slice){begins, ns.bytes + 1}, TOPS_KEPT);
    if (!question->scan) {
        free(question);
        return NULL;
    }
    question->scan->state = SCAN_DONE;
    return question;
}

static enum handler_result top_begin(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     struct slice ns, const struct top_query *q)
{
    const struct api_config *config = &aw->api->config;
    if (!config->tops || !namespaces_have(config->tops, ns)) {
        answer_error(aw, r, reply, 404, "no_top", "the highest keys of a namespace are kept when --top names it", NULL);
        return HANDLED;
    }
    if (!config->embedded && !mailbox_is_connected(config->mailbox))
        return refuse(aw, r, reply, "store_unreachable", "the store does not answer; try again");
    if (!lookup_may_ask(aw, r, reply))
        return refuse(aw, r, reply, "busy", "so many reads at once are not asked of the store; try again");
    if (ask_begin(aw, reply, question_about(aw, reply, ns, q->n), ASK_WAIT_MS, top_resume))
        return WAITING;
    return refuse(aw, r, reply, "busy", "there are too many questions to the store; try again");
}

enum handler_result route_top(struct api_worker *aw, const struct http_request *r, struct reply *reply, struct slice ns)
{
    struct top_query q = {.n = TOP_N};
    const char *detail = NULL;
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        answer_method(aw, r, reply, "GET, HEAD, OPTIONS");
        return HANDLED;
    }
    enum name_error error = name_check_ns(ns);
    const char *wrong = error != NAME_OK ? name_error_text(error) : query_read(r->query, &q, &detail);
    if (wrong) {
        answer_error(aw, r, reply, 400, wrong, detail ? detail : refusal_detail(refusal_of_name(error)), NULL);
        return HANDLED;
    }
    if (!right_check(aw, r, reply, TOKEN_READ, ns))
        return HANDLED;
    return top_begin(aw, r, reply, ns, &q);
}
