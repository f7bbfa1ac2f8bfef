/* The forms in which the api answers, and counts that it did. */

#include <stdio.h>

#include "forms/json.h"
#include "http/response.h"
#include "http/scan.h"
#include "request/api_worker.h"
#include "sync/atomic.h"

#define MEMBER_BYTES_MAX 64      /* of a name that an answer repeats */
#define PREFLIGHT_BYTES_MAX 1024 /* of the fields that one may ask for */

#define REFUSAL_TEXT(name, text) [API_REFUSED_##name] = text,
static const char *const refusal_texts[API_REFUSAL_KINDS] = {API_REFUSALS(REFUSAL_TEXT)};

static const struct refusal {
    int status;
    const char *detail;
} refusals[API_REFUSAL_KINDS] = {
    [API_REFUSED_KEY_LIMIT] = {503,
                               "this process counts as many keys as --max-keys allows; keys that it knows count on"},
    [API_REFUSED_NAMESPACE_KEYS] = {503, "this process counts as many keys of this namespace as --max-keys-ns allows"},
    [API_REFUSED_NEW_KEY_RATE] =
        {429, "so many new keys at once are not taken (--new-keys, --new-keys-client); keys that are known count on"},
    [API_REFUSED_NO_SUCH_NAMESPACE] = {403, "this namespace is not in --namespaces, which names those that exist"},
    [API_REFUSED_STATE_FULL] =
        {503, "the file system of --state-dir has no room for another key; keys that are known count on"},
    [API_REFUSED_OVERFLOW] = {409, "what this process counts of this key would pass 2^56-1"},
    [API_REFUSED_BAD_NAMESPACE] = {400, "a namespace is 1 to 64 of A-Z a-z 0-9 _ . -"},
    [API_REFUSED_BAD_KEY] = {400, "a key has no control bytes and no { or }"},
    [API_REFUSED_NO_KEY] = {400, "the key is missing: /v1/hit/NAMESPACE/KEY or /v1/hit/NAMESPACE?key=KEY"},
    [API_REFUSED_TOO_LONG] = {400, "a key has at most 256 bytes, a namespace 64"},
    [API_REFUSED_BAD_ESCAPE] = {400, "% must be followed by two hex digits"},
    [API_REFUSED_BAD_N] = {400, "n is 1 to 2147483647, in digits, without a leading zero"},
    [API_REFUSED_BAD_QUERY] = {400, "key, n, value=1, ack=stored and what a badge takes, each at most once; a key in "
                                    "the path or in the query, not in both; no ack with value or an image"},
    [API_REFUSED_BAD_LABEL] = {400, "label is percent-encoded UTF-8 without control bytes, 64 bytes at most"},
    [API_REFUSED_BAD_COLOR] = {400,
                               "color and label_color are 3 or 6 hex digits without #, or the name of a colour in CSS"},
    [API_REFUSED_BAD_FORMAT] = {400, "format is short (246.9M) or grouped (246,912,345), or left out"},
    [API_REFUSED_BAD_BODY] =
        {400, "the body is {\\\"hits\\\":[{\\\"ns\\\":\\\"blog\\\",\\\"key\\\":\\\"a\\\",\\\"n\\\":1}]}"},
    [API_REFUSED_UNKNOWN_MEMBER] = {400, "the body has one member, hits, and each of them has ns, key and n"},
    [API_REFUSED_KEY_NOT_ALLOWED] = {403, "this namespace takes only the keys that --access-file names"},
    [API_REFUSED_ORIGIN] = {403, "this namespace takes only hits of pages whose origin --access-file names"},
    [API_REFUSED_TOKEN] = {401,
                           "send Authorization: Bearer with a token of --token-file that has hit or hit:NAMESPACE"},
    [API_REFUSED_RATE] = {429,
                          "this client has made as many hits as --rate-limit allows; Retry-After says when to go on"},
    /* Nothing is wrong with these, and no script should fail over them. */
    [API_REFUSED_PREFETCH] = {204, ""},
    [API_REFUSED_GPC] = {204, ""},
    [API_REFUSED_DNT] = {204, ""},
    [API_REFUSED_BOT] = {204, ""},
    [API_REFUSED_HEAD] = {204, ""},
};

const char *refusal_text(enum api_refusal why) { return refusal_texts[why]; }
const char *refusal_detail(enum api_refusal why) { return refusals[why].detail; }
bool refusal_is_filter(enum api_refusal why) { return why != API_ALLOWED && refusals[why].status == 204; }
void refusal_count(struct api_worker *aw, enum api_refusal why) { stat_add(&aw->stats.hits_refused[why], 1); }

enum api_refusal refusal_of_name(enum name_error e)
{
    switch (e) {
    case NAME_BAD_NS: return API_REFUSED_BAD_NAMESPACE;
    case NAME_NO_KEY: return API_REFUSED_NO_KEY;
    case NAME_TOO_LONG: return API_REFUSED_TOO_LONG;
    case NAME_BAD_ESCAPE: return API_REFUSED_BAD_ESCAPE;
    default: return API_REFUSED_BAD_KEY;
    }
}

enum api_refusal refusal_of_tally(enum tally_result result)
{
    return result == TALLY_OVERFLOW   ? API_REFUSED_OVERFLOW
           : result == TALLY_NO_SPACE ? API_REFUSED_STATE_FULL
                                      : API_REFUSED_KEY_LIMIT;
}

static void answer(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                   struct slice body, struct slice extra)
{
    struct http_response response = {
        .status = status,
        .content_type = body.bytes > 0 ? "application/json" : NULL,
        .body = body,
        .extra = extra,
        .close = reply->close,
    };
    http_response_write(reply->out, r, &response, reply->date);
    answer_count(aw, status);
}

void answer_json(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                 struct slice body)
{
    answer(aw, r, reply, status, body, aw->trusted ? SLICE(PRIVATE_HEADERS) : SLICE(API_HEADERS));
}

void answer_error(struct api_worker *aw, const struct http_request *r, struct reply *reply, int status,
                  const char *token, const char *detail, const char *extra)
{
    char body[512], headers[512];
    int body_bytes = snprintf(body, sizeof(body), "{\"error\":\"%s\",\"detail\":\"%s\"}\n", token, detail);
    int header_bytes =
        snprintf(headers, sizeof(headers), "%s%s", aw->trusted ? PRIVATE_HEADERS : ERROR_HEADERS, extra ? extra : "");
    answer(aw, r, reply, status, (struct slice){body, (size_t)body_bytes},
           (struct slice){headers, (size_t)header_bytes});
}

void answer_stranger(struct api_worker *aw, const struct http_request *r, struct reply *reply, struct slice member,
                     const char *detail, const char *extra)
{
    struct buf body = {0}, headers = {0};
    if (member.bytes > MEMBER_BYTES_MAX)
        member.bytes = MEMBER_BYTES_MAX;
    buf_printf(&body, "{\"error\":\"unknown_member\",\"detail\":\"%s\",\"member\":", detail);
    json_append_string(&body, member);
    buf_append_slice(&body, SLICE("}\n"));
    buf_printf(&headers, "%s%s", ERROR_HEADERS, extra);
    answer(aw, r, reply, 400, buf_slice(&body), buf_slice(&headers));
    buf_fini(&body);
    buf_fini(&headers);
}

void hit_status_append(struct buf *b, enum api_refusal why)
{
    if (why == API_ALLOWED)
        buf_append_slice(b, SLICE(HIT_HEADERS "X-Hit-Status: counted\r\n"));
    else
        buf_printf(b, HIT_HEADERS "X-Hit-Status: %s;reason=%s\r\n", refusal_is_filter(why) ? "filtered" : "refused",
                   refusal_texts[why]);
}

/* What a status asks for besides. */
static void refusal_append_fields(struct buf *b, const struct api_worker *aw, int status)
{
    if (status == 503)
        buf_append_slice(b, SLICE("Retry-After: 60\r\n"));
    else if (status == 429)
        buf_printf(b, "Retry-After: %u\r\n", aw->retry_after_s);
    else if (status == 401)
        buf_append_slice(b, SLICE("WWW-Authenticate: Bearer realm=\"tallyd\"\r\n"));
}

void answer_refusal(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum api_refusal why)
{
    const struct refusal *refusal = &refusals[why];
    char space[512];
    struct buf extra = buf_over(space, sizeof(space));
    refusal_count(aw, why);
    if (refusal_is_filter(why)) {
        hit_status_append(&extra, why);
        answer(aw, r, reply, 204, (struct slice){0}, buf_slice(&extra));
        return;
    }
    buf_printf(&extra, "X-Hit-Status: refused;reason=%s\r\n", refusal_texts[why]);
    refusal_append_fields(&extra, aw, refusal->status);
    buf_append(&extra, "", 1);
    answer_error(aw, r, reply, refusal->status, refusal_texts[why], refusal->detail, space);
}

/* What a preflight asks for, where that is a list of names: tracers add fields of their own to a page's requests. */
static struct slice preflight_headers(const struct http_request *r)
{
    struct slice asked = r->field[HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS];
    for (size_t i = 0; i < asked.bytes; i++)
        if (asked.at[i] != ',' && asked.at[i] != ' ' && !byte_is(asked.at[i], BYTE_TOKEN))
            asked.bytes = 0;
    return asked.bytes > 0 && asked.bytes <= PREFLIGHT_BYTES_MAX ? asked : SLICE("Authorization, Content-Type");
}

/* Also the answer to a CORS preflight (Fetch standard, section 3.2). No request of another origin carries anything that
 * a browser would add by itself, so any field may come. */
static void answer_options(struct api_worker *aw, const struct http_request *r, struct reply *reply, const char *allow)
{
    struct buf extra = {0};
    buf_printf(&extra,
               API_HEADERS "Allow: %s\r\nAccess-Control-Allow-Methods: %s\r\nAccess-Control-Allow-Headers: ", allow,
               allow);
    buf_append_slice(&extra, preflight_headers(r));
    buf_append_slice(&extra, SLICE("\r\nVary: Access-Control-Request-Headers\r\nAccess-Control-Max-Age: 86400\r\n"));
    answer(aw, r, reply, 204, (struct slice){0}, buf_slice(&extra));
    buf_fini(&extra);
}

void answer_not_allowed(struct api_worker *aw, const struct http_request *r, struct reply *reply, const char *allow,
                        const char *detail)
{
    char extra[128];
    snprintf(extra, sizeof(extra), "Allow: %s\r\n", allow);
    answer_error(aw, r, reply, 405, "method_not_allowed", detail, extra);
}

void answer_method(struct api_worker *aw, const struct http_request *r, struct reply *reply, const char *allow)
{
    char detail[128];
    if (r->method == HTTP_UNKNOWN) {
        answer_error(aw, r, reply, 501, "unknown_method", "this server does not know that method", NULL);
    } else if (r->method == HTTP_OPTIONS) {
        answer_options(aw, r, reply, allow);
    } else {
        snprintf(detail, sizeof(detail), "this path takes %s", allow);
        answer_not_allowed(aw, r, reply, allow, detail);
    }
}
