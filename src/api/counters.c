/* GET /v1/counters/{ns}/{key} and GET /v1/counters/{ns}?key=a&key=b: what was counted. */

#include "api/routes.h"
#include "base/clock.h"
#include "forms/json.h"
#include "forms/one_key.h"
#include "request/lookup.h"

static void counter_append(struct buf *b, struct slice name, const struct lookup_value *v, uint64_t now_ms)
{
    buf_append_slice(b, SLICE("{\"ns\":"));
    json_append_string(b, name_ns(name));
    buf_append_slice(b, SLICE(",\"key\":"));
    json_append_string(b, name_key(name));
    buf_append(b, ",", 1);
    lookup_append(b, v, now_ms);
    buf_append_slice(b, SLICE(",\"as_of\":"));
    if (v->known)
        json_append_time(b, clock_wall_ms() - (int64_t)(now_ms - v->as_of_ms));
    else
        buf_append_slice(b, SLICE("null"));
    buf_append(b, "}", 1);
}

static void answer_unknown(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                           const struct lookup_value *v)
{
    const char *why = v->busy ? "busy" : "store_unreachable";
    const char *detail = v->busy ? "so many reads at once are not asked of the store; try again"
                                 : "the store does not answer; try again";
    answer_error(aw, r, reply, 503, why, detail, "Retry-After: 1\r\n");
}

static enum handler_result bad_name(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                    enum name_error error)
{
    answer_error(aw, r, reply, 400, name_error_text(error), refusal_detail(refusal_of_name(error)), NULL);
    return HANDLED;
}

static enum handler_result answer_counter(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                          struct slice name, const struct lookup_value *value)
{
    if (!value->exists && value->known) {
        answer_error(aw, r, reply, 404, "not_found",
                     "nothing was counted for this key; counters appear with their first hit", NULL);
    } else if (!value->exists) {
        answer_unknown(aw, r, reply, value);
    } else {
        struct buf body = {0};
        counter_append(&body, name, value, reply->now_ms);
        buf_append(&body, "\n", 1);
        answer_json(aw, r, reply, 200, buf_slice(&body));
        buf_fini(&body);
    }
    return HANDLED;
}

static enum handler_result counter_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    struct lookup_value value;
    lookup_answer(aw, reply, &value);
    return answer_counter(aw, r, reply, ask_name(reply, 0), &value);
}

enum handler_result route_counter(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                  struct slice path)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    enum name_error error;
    const char *wrong = one_key_read(r, path, scratch, &name, &error);
    if (error != NAME_OK)
        return bad_name(aw, r, reply, error);
    if (wrong) {
        answer_error(aw, r, reply, 400, wrong, ONE_KEY_DETAIL, NULL);
        return HANDLED;
    }
    struct lookup_value value;
    if (!lookup_names(aw, r, reply, &name, 1, &value, counter_resume))
        return WAITING;
    return answer_counter(aw, r, reply, name, &value);
}

struct many {
    struct slice names[LOOKUP_NAMES_MAX];
    char space[LOOKUP_NAMES_MAX][NAME_BYTES_MAX];
    uint32_t count;
};

/* The keys of ?key=…&key=…; NULL, or the token of what is wrong with them. A name that is wrong is `*error`. */
static const char *many_read(struct many *m, struct slice ns, struct slice query, enum name_error *error)
{
    struct slice parameter, value;
    while (query.at && http_query_next(&query, &parameter, &value)) {
        if (!http_query_is(parameter, SLICE("key")))
            continue;
        if (m->count == LOOKUP_NAMES_MAX)
            return "too_many_keys";
        *error = name_from_query(ns, value, m->space[m->count], &m->names[m->count]);
        if (*error != NAME_OK)
            return name_error_text(*error);
        m->count++;
    }
    return m->count == 0 ? "no_key" : NULL;
}

static void many_append(struct buf *b, const struct slice *names, uint32_t count, const struct lookup_value *values,
                        uint64_t now_ms)
{
    buf_append_slice(b, SLICE("{\"counters\":["));
    for (uint32_t i = 0, n = 0; i < count; i++)
        if (values[i].exists) {
            buf_append(b, ",", n++ > 0);
            counter_append(b, names[i], &values[i], now_ms);
        }
    buf_append_slice(b, SLICE("],\"missing\":["));
    for (uint32_t i = 0, n = 0; i < count; i++)
        if (!values[i].exists) {
            buf_append(b, ",", n++ > 0);
            json_append_string(b, name_key(names[i]));
        }
    buf_append_slice(b, SLICE("]}\n"));
}

static enum handler_result answer_counters(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                           const struct slice *names, uint32_t count, const struct lookup_value *values)
{
    for (uint32_t i = 0; i < count; i++)
        if (!values[i].exists && !values[i].known) {
            answer_unknown(aw, r, reply, &values[i]);
            return HANDLED;
        }
    struct buf body = {0};
    many_append(&body, names, count, values, reply->now_ms);
    answer_json(aw, r, reply, 200, buf_slice(&body));
    buf_fini(&body);
    return HANDLED;
}

static enum handler_result counters_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    struct lookup_value values[LOOKUP_NAMES_MAX];
    struct slice names[LOOKUP_NAMES_MAX];
    uint32_t count = ask_names(reply);
    lookup_answer(aw, reply, values);
    for (uint32_t i = 0; i < count; i++)
        names[i] = ask_name(reply, i);
    return answer_counters(aw, r, reply, names, count, values);
}

enum handler_result route_counters(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                   struct slice ns)
{
    struct many m;
    m.count = 0;
    enum name_error error = NAME_OK;
    const char *wrong = many_read(&m, ns, r->query, &error);
    if (error != NAME_OK)
        return bad_name(aw, r, reply, error);
    if (wrong) {
        answer_error(aw, r, reply, 400, wrong, "1 to 100 keys are expected: ?key=a&key=b", NULL);
        return HANDLED;
    }
    struct lookup_value values[LOOKUP_NAMES_MAX];
    if (!lookup_names(aw, r, reply, m.names, m.count, values, counters_resume))
        return WAITING;
    return answer_counters(aw, r, reply, m.names, m.count, values);
}
