/* POST /v1/hits: many hits in one request, each accepted or refused by itself. */

#include <jansson.h>

#include "api/gate.h"
#include "api/json.h"
#include "api/newcomer.h"
#include "sync/atomic.h"

#define ITEMS_MAX 1000

static struct slice string_of(const json_t *item, const char *member)
{
    const json_t *value = json_object_get(item, member);
    return (struct slice){json_string_value(value), json_string_length(value)};
}

/* API_REFUSAL_KINDS: counted. */
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
    json_int_t n = number ? json_integer_value(number) : 1;
    if ((number && !json_is_integer(number)) || n < 1 || n > INT32_MAX)
        return API_REFUSED_BAD_N;
    enum api_refusal why = gate_is_open(aw) ? API_REFUSAL_KINDS : gate_check(aw, r, reply, name);
    return why == API_REFUSAL_KINDS ? hit_take(aw, r, reply, name, (uint64_t)n) : why;
}

static void hits_count(struct api_worker *aw, const struct http_request *r, struct reply *reply, const json_t *hits)
{
    struct buf errors = {0}, body = {0};
    size_t rejected = 0, index;
    json_t *item;
    json_array_foreach(hits, index, item)
    {
        enum api_refusal why = hit_count(aw, r, reply, item);
        if (why == API_REFUSAL_KINDS)
            continue;
        stat_add(&aw->stats.hits_refused[why], 1);
        buf_printf(&errors, "%s{\"index\":%zu,\"error\":\"%s\"}", rejected ? "," : "", index, refusal_text(why));
        rejected++;
    }
    buf_printf(&body, "{\"accepted\":%zu,\"rejected\":%zu,\"errors\":[", json_array_size(hits) - rejected, rejected);
    buf_append_slice(&body, buf_slice(&errors));
    buf_append_slice(&body, SLICE("]}\n"));
    answer_json(aw, r, reply, 202, buf_slice(&body));
    buf_fini(&errors);
    buf_fini(&body);
}

enum handler_result route_hits(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    if (r->method != HTTP_POST) {
        answer_method(aw, r, reply, "POST, OPTIONS");
        return HANDLED;
    }
    bool no_memory;
    json_t *root = json_read(r->body, &no_memory), *hits = json_object_get(root, "hits");
    if (no_memory) {
        answer_error(aw, r, reply, 503, "no_memory", "nothing was counted; try again", "Retry-After: 1\r\n");
    } else if (!json_is_array(hits)) {
        answer_refusal(aw, r, reply, API_REFUSED_BAD_BODY);
    } else if (json_array_size(hits) > ITEMS_MAX) {
        stat_add(&aw->stats.hits_refused[API_REFUSED_BAD_BODY], 1);
        answer_error(aw, r, reply, 413, "too_many_hits", "at most 1000 hits in one request", NULL);
    } else {
        hits_count(aw, r, reply, hits);
    }
    json_decref(root);
    return HANDLED;
}
