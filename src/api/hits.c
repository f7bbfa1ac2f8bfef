/* POST /v1/hits: many hits in one request, each accepted or refused by itself. */

#include <jansson.h>

#include "api/routes.h"
#include "forms/hits_text.h"
#include "forms/json.h"
#include "request/gate.h"
#include "request/newcomer.h"
#include "sync/atomic.h"

#define ITEMS_MAX 1000

/* A hit of the body: what it says, or why it cannot be read. */
struct item {
    json_t *json; /* owned; NULL: no JSON object */
    enum api_refusal why;
    struct slice stranger; /* the member that hits do not have; in `json` */
};

static struct slice string_of(const json_t *item, const char *member)
{
    const json_t *value = json_object_get(item, member);
    return (struct slice){json_string_value(value), json_string_length(value)};
}

/* false: no memory. */
static bool item_read(struct slice text, struct item *out)
{
    static const char *const members[] = {"ns", "key", "n", NULL};
    bool no_memory;
    *out = (struct item){.json = json_read(text, &no_memory), .why = API_ALLOWED};
    if (!json_is_object(out->json))
        out->why = API_REFUSED_BAD_BODY;
    else if ((out->stranger = json_stranger(out->json, members)).at)
        out->why = API_REFUSED_UNKNOWN_MEMBER;
    return !no_memory;
}

static void items_free(struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(items[i].json);
}

/* API_ALLOWED: counted. */
static enum api_refusal hit_count(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                                  const json_t *item)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name, ns = string_of(item, "ns"), key = string_of(item, "key");
    if (!ns.at || !key.at)
        return API_REFUSED_BAD_BODY;
    enum name_error error = name_from_parts(ns, key, scratch, &name);
    if (error != NAME_OK)
        return refusal_of_name(error);
    const json_t *number = json_object_get(item, "n");
    int64_t n = 1;
    if (number && (!json_read_whole(number, &n) || n < 1 || n > INT32_MAX))
        return API_REFUSED_BAD_N;
    enum api_refusal why = gate_is_open(aw) ? API_ALLOWED : gate_check(aw, r, reply, name);
    return why == API_ALLOWED ? hit_take(aw, r, reply, name, (uint64_t)n) : why;
}

static void error_append(struct buf *errors, size_t index, enum api_refusal why, struct slice stranger)
{
    buf_printf(errors, "%s{\"index\":%zu,\"error\":\"%s\"", errors->bytes > 0 ? "," : "", index, refusal_text(why));
    if (stranger.at) {
        buf_append_slice(errors, SLICE(",\"member\":"));
        json_append_string(errors, stranger);
    }
    buf_append(errors, "}", 1);
}

static void hits_count(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                       const struct item *items, size_t count)
{
    struct buf errors = {0}, body = {0};
    size_t rejected = 0;
    for (size_t i = 0; i < count; i++) {
        enum api_refusal why = items[i].why;
        if (why == API_ALLOWED)
            why = hit_count(aw, r, reply, items[i].json);
        if (why == API_ALLOWED)
            continue;
        stat_add(&aw->stats.hits_refused[why], 1);
        error_append(&errors, i, why, items[i].stranger);
        rejected++;
    }
    buf_printf(&body, "{\"accepted\":%zu,\"rejected\":%zu,\"errors\":[", count - rejected, rejected);
    buf_append_slice(&body, buf_slice(&errors));
    buf_append_slice(&body, SLICE("]}\n"));
    answer_json(aw, r, reply, 202, buf_slice(&body));
    buf_fini(&errors);
    buf_fini(&body);
}

/* All are read before one is counted: without memory none is. */
static void hits_read(struct api_worker *aw, const struct http_request *r, struct reply *reply, struct slice rest)
{
    struct item items[ITEMS_MAX];
    struct slice text;
    size_t count = 0;
    bool memory = true;
    while (memory && hits_text_next(&rest, &text))
        memory = item_read(text, &items[count++]);
    if (memory)
        hits_count(aw, r, reply, items, count);
    else
        answer_error(aw, r, reply, 503, "no_memory", "nothing was counted; try again", "Retry-After: 1\r\n");
    items_free(items, count);
}

/* `name`: in its quotes. */
static void refuse_stranger(struct api_worker *aw, const struct http_request *r, struct reply *reply, struct slice name)
{
    refusal_count(aw, API_REFUSED_UNKNOWN_MEMBER);
    answer_stranger(aw, r, reply, (struct slice){name.at + 1, name.bytes - 2},
                    refusal_detail(API_REFUSED_UNKNOWN_MEMBER), "X-Hit-Status: refused;reason=unknown_member\r\n");
}

enum handler_result route_hits(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    if (r->method != HTTP_POST) {
        answer_method(aw, r, reply, "POST, OPTIONS");
        return HANDLED;
    }
    struct hits_text text;
    if (!hits_text_read(json_skip_mark(r->body), &text)) {
        answer_refusal(aw, r, reply, API_REFUSED_BAD_BODY);
    } else if (text.stranger.at) {
        refuse_stranger(aw, r, reply, text.stranger);
    } else if (text.count > ITEMS_MAX) {
        stat_add(&aw->stats.hits_refused[API_REFUSED_BAD_BODY], 1);
        answer_error(aw, r, reply, 413, "too_many_hits", "at most 1000 hits in one request", NULL);
    } else {
        hits_read(aw, r, reply, text.items);
    }
    return HANDLED;
}
