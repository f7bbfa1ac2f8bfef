/* GET /v1/stream/{ns}/{key} and /v1/stream/{ns}: a counter's number, or a namespace's total, and its rate as events,
 * for as long as the client listens. */

#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "api/streams.h"
#include "api/total.h"
#include "forms/one_key.h"
#include "http/response.h"
#include "request/lookup.h"
#include "request/newcomer.h"

#define CLIENT_SHARE 4 /* a client may have a quarter of the streams, where clients are told apart */

#define STREAM_HEADERS API_HEADERS "X-Accel-Buffering: no\r\n" /* a proxy that gathers answers would hold them back */

static void head_append(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    struct http_response response = {
        .status = 200,
        .content_type = "text/event-stream",
        .extra = SLICE(STREAM_HEADERS),
        .close = true,
        .streams = true,
    };
    reply->close = true;
    http_response_write(reply->out, r, &response, reply->date);
    answer_count(aw, 200);
}

/* The number that the client had when its last stream ended; NULL: none. */
static const int64_t *seen_read(const struct http_request *r, int64_t *space)
{
    struct slice text = r->field[HTTP_FIELD_LAST_EVENT_ID];
    char digits[24];
    char *end;
    if (text.bytes == 0 || text.bytes >= sizeof(digits))
        return NULL;
    memcpy(digits, text.at, text.bytes);
    digits[text.bytes] = '\0';
    *space = strtoll(digits, &end, 10);
    return *end == '\0' ? space : NULL;
}

/* The client as its share of streams is counted; NULL: clients are not told apart here. */
static const struct ip *client_read(const struct api_worker *aw, const struct http_request *r,
                                    const struct reply *reply, struct ip *space)
{
    if (!reply->peer)
        return NULL;
    *space = client_find(&aw->api->config.proxies, reply->peer, r);
    return space;
}

/* NULL: there is room for one more. */
static const char *refused_for(const struct api_worker *aw, const struct ip *client)
{
    uint32_t max = aw->api->config.streams_max;
    if (streams_count(aw->streams) >= max)
        return "this worker has as many streams as it may; read /v1/counters now and then instead";
    if (client && streams_of(aw->streams, client) >= (max + CLIENT_SHARE - 1) / CLIENT_SHARE)
        return "this client has as many streams as it may; read /v1/counters now and then instead";
    return NULL;
}

static enum handler_result refuse(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                  const char *token, const char *detail, const char *extra)
{
    stat_add(&aw->stats.streams_refused, 1);
    answer_error(aw, r, reply, 503, token, detail, extra);
    return HANDLED;
}

static enum handler_result begin(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                 struct slice name, const struct ip *client)
{
    struct buf first = {0};
    struct lookup_value now;
    int64_t seen, total;
    bool sums_up = name.at[0] == '!';
    if (sums_up && total_peek(aw, name, &total) && total_is_none(aw, r, reply, total))
        return HANDLED;
    bool told = !sums_up && lookup_peek(aw, name, reply->now_ms, &now);
    if (!told && !lookup_may_ask(aw, r, reply))
        return refuse(aw, r, reply, "busy", "so many reads at once are not asked of the store; try again",
                      "Retry-After: 1\r\n");
    struct stream *stream = stream_open(aw, name, reply->ticket, client, seen_read(r, &seen), reply->now_ms, &first);
    if (!stream)
        return refuse(aw, r, reply, "memory", "there is no memory for a stream", "Retry-After: 10\r\n");
    head_append(aw, r, reply);
    buf_printf(reply->out, "retry: %u\n\n", STREAM_RETRY_MS);
    buf_append_slice(reply->out, buf_slice(&first));
    buf_fini(&first);
    reply->waiting = stream;
    return STREAMING;
}

static bool names_key(struct slice query)
{
    struct slice name, value;
    bool named = false;
    while (query.at && http_query_next(&query, &name, &value))
        named |= http_query_is(name, SLICE("key"));
    return named;
}

/* The key of the path or the query; without one, the namespace. NULL, or the token of what is wrong. */
static const char *name_read(const struct http_request *r, struct slice path, char scratch[NAME_BYTES_MAX],
                             struct slice *name, struct slice *ns, enum name_error *error)
{
    const char *wrong = one_key_read(r, path, scratch, name, error);
    if (*error != NAME_NO_KEY || names_key(r->query)) {
        *ns = wrong ? (struct slice){0} : name_ns(*name);
        return wrong;
    }
    path.bytes -= path.at[path.bytes - 1] == '/';
    *error = name_check_ns(path);
    if (*error != NAME_OK)
        return name_error_text(*error);
    *ns = path;
    *name = name_of_total(0, path, scratch);
    return NULL;
}

enum handler_result route_stream(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                 struct slice path)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    struct ip space;
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        answer_method(aw, r, reply, "GET, HEAD, OPTIONS");
        return HANDLED;
    }
    enum name_error error;
    struct slice ns;
    const char *wrong = name_read(r, path, scratch, &name, &ns, &error);
    if (wrong) {
        const char *detail = error == NAME_OK       ? ONE_KEY_DETAIL
                             : error == NAME_NO_KEY ? "the key is empty; without ?key= the whole namespace is followed"
                                                    : refusal_detail(refusal_of_name(error));
        answer_error(aw, r, reply, 400, wrong, detail, NULL);
        return HANDLED;
    }
    const struct namespaces *namespaces = aw->api->config.namespaces;
    if (namespaces && !namespaces_have(namespaces, ns)) {
        answer_error(aw, r, reply, 404, "no_such_namespace", refusal_detail(API_REFUSED_NO_SUCH_NAMESPACE), NULL);
        return HANDLED;
    }
    const struct ip *client = client_read(aw, r, reply, &space);
    const char *refused = refused_for(aw, client);
    if (refused)
        return refuse(aw, r, reply, "streams", refused, "Retry-After: 30\r\n");
    bool draining = streams_are_draining(aw->streams);
    if (r->method == HTTP_GET && !draining)
        return begin(aw, r, reply, name, client);
    head_append(aw, r, reply);
    if (draining && r->method == HTTP_GET)
        stream_retry_append(reply->out);
    return HANDLED;
}
