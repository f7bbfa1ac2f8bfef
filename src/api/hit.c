/* GET|POST /v1/hit/{ns}/{key}: the one route that has to be fast. */

#include "api/lookup.h"
#include "sync/atomic.h"

#define N_MAX 2147483647u

/* Digits only, no leading zero, 1…2^31-1 (DESIGN 4.5). */
static bool parse_n(struct slice text, uint64_t *n)
{
    uint64_t value = 0;
    if (text.bytes == 0 || text.bytes > 10 || text.at[0] == '0')
        return false;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    *n = value;
    return value <= N_MAX;
}

/* n and value; other parameters are a page's own business (cache busters, campaign names). */
static enum api_refusal query_read(struct slice query, uint64_t *n, bool *wants_value)
{
    struct slice name, value;
    unsigned n_seen = 0, value_seen = 0;
    while (http_query_next(&query, &name, &value)) {
        if (slice_equals(name, SLICE("n"))) {
            n_seen++;
            if (!parse_n(value, n))
                return API_REFUSED_BAD_N;
        } else if (slice_equals(name, SLICE("value"))) {
            value_seen++;
            *wants_value = slice_equals(value, SLICE("1"));
            if (!*wants_value && !slice_equals(value, SLICE("0")))
                return API_REFUSED_BAD_QUERY;
        }
    }
    return n_seen > 1 || value_seen > 1 ? API_REFUSED_BAD_QUERY : API_REFUSAL_KINDS;
}

static enum handler_result answer_value(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        struct slice name)
{
    struct lookup_value value;
    if (!lookup_names(aw, reply, &name, 1, &value))
        return WAITING;
    char space[160];
    struct buf body = {.data = space, .capacity = sizeof space, .bytes_max = sizeof space};
    buf_append(&body, "{", 1);
    lookup_append(&body, &value, reply->now_ms);
    buf_append(&body, "}\n", 2);
    struct http_response response = {
        .status = 200,
        .content_type = "application/json",
        .body = buf_slice(&body),
        .extra = SLICE(API_HEADERS "X-Hit-Status: counted\r\n"),
        .close = reply->close,
    };
    http_response_write(reply->out, r, &response, reply->date);
    answer_count(aw, 200);
    return HANDLED;
}

static enum handler_result refuse(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                  enum api_refusal why)
{
    answer_refusal(aw, r, reply, why);
    return HANDLED;
}

enum handler_result route_hit(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                              struct slice path)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    uint64_t n = 1;
    bool wants_value = false;

    if (r->method != HTTP_GET && r->method != HTTP_POST) {
        if (r->method == HTTP_HEAD)
            return refuse(aw, r, reply, API_REFUSED_HEAD); /* safe by definition: it counts nothing */
        answer_method(aw, r, reply, "GET, HEAD, POST, OPTIONS");
        return HANDLED;
    }
    enum name_error error = name_from_path(path, scratch, &name);
    if (error != NAME_OK)
        return refuse(aw, r, reply, refusal_of_name(error));
    if (r->query.at) {
        enum api_refusal why = query_read(r->query, &n, &wants_value);
        if (why != API_REFUSAL_KINDS)
            return refuse(aw, r, reply, why);
    }
    if (!reply->again) {
        enum tally_result result = tally_hit(aw->api->config.tally, aw->index, name, n);
        if (result != TALLY_COUNTED)
            return refuse(aw, r, reply, refusal_of_tally(result));
        stat_add(&aw->stats.hits_accepted, n);
    }
    if (wants_value)
        return answer_value(aw, r, reply, name);
    buf_append_slice(reply->out, http_template_get(aw->counted, r, reply->close));
    answer_count(aw, 204);
    return HANDLED;
}
