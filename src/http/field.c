#include "http/field.h"

#include "base/word.h"
#include "http/list.h"
#include "http/scan.h"
#include "http/target.h"

struct known_field {
    const char *name; /* in lower case */
    int id;           /* of enum http_field or of enum field_id, which continues it */
};

enum { NAME_BYTES_MAX = 30, NAMES_PER_LENGTH = 3 };

/* By length: most names that nobody wants are told apart by it and the first letter. */
static const struct known_field known[NAME_BYTES_MAX + 1][NAMES_PER_LENGTH] = {
    [3] = {{"dnt", HTTP_FIELD_DNT}},
    [4] = {{"host", FIELD_HOST}},
    [5] = {{"x-moz", HTTP_FIELD_X_MOZ}},
    [6] = {{"accept", HTTP_FIELD_ACCEPT}, {"origin", HTTP_FIELD_ORIGIN}, {"expect", FIELD_EXPECT}},
    [7] = {{"purpose", HTTP_FIELD_PURPOSE}, {"sec-gpc", HTTP_FIELD_SEC_GPC}, {"referer", HTTP_FIELD_REFERER}},
    [9] = {{"forwarded", HTTP_FIELD_FORWARDED}, {"x-purpose", HTTP_FIELD_X_PURPOSE}},
    [10] = {{"connection", FIELD_CONNECTION}, {"user-agent", HTTP_FIELD_USER_AGENT}},
    [11] = {{"sec-purpose", HTTP_FIELD_SEC_PURPOSE}},
    [12] = {{"content-type", HTTP_FIELD_CONTENT_TYPE}},
    [13] = {{"authorization", HTTP_FIELD_AUTHORIZATION}, {"last-event-id", HTTP_FIELD_LAST_EVENT_ID}},
    [14] = {{"content-length", FIELD_CONTENT_LENGTH}},
    [15] = {{"x-forwarded-for", HTTP_FIELD_X_FORWARDED_FOR}},
    [17] = {{"transfer-encoding", FIELD_TRANSFER_ENCODING}},
    [29] = {{"access-control-request-method", HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD}},
    [30] = {{"access-control-request-headers", HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS}},
};

/* `lower` has letters, digits and '-' only; of the bytes that a token or value may have, none but the
 * two cases of a letter becomes that letter by setting bit 5, and none but '-' becomes '-'. */
static inline bool text_is(const char *text, const char *lower, size_t bytes)
{
    size_t i = 0;

    for (; i + 4 <= bytes; i += 4) {
        if ((word32_load(text + i) | 0x20202020) != word32_load(lower + i))
            return false;
    }
    for (; i < bytes; i++) {
        if ((text[i] | 0x20) != lower[i])
            return false;
    }
    return true;
}

static bool slice_is(struct slice s, struct slice lower)
{
    return s.bytes == lower.bytes && text_is(s.at, lower.at, s.bytes);
}

int field_find(struct slice name)
{
    if (name.bytes > NAME_BYTES_MAX)
        return FIELD_OTHER;
    const struct known_field *candidates = known[name.bytes];
    for (int i = 0; i < NAMES_PER_LENGTH && candidates[i].name != NULL; i++) {
        if (text_is(name.at, candidates[i].name, name.bytes))
            return candidates[i].id;
    }
    return FIELD_OTHER;
}

static struct refusal apply_host(struct http_request *r, uint32_t *seen, struct slice value)
{
    if (*seen & SEEN_HOST)
        return (struct refusal){400, "host_twice"};
    /* An empty value is what a client sends for a target without authority (RFC 9112 section 3.2). */
    if (value.bytes > 0 && !target_host_valid(value))
        return (struct refusal){400, "host"};
    *seen |= SEEN_HOST;
    if (!(*seen & SEEN_TARGET_HOST))
        r->host = value;
    return (struct refusal){0};
}

/* A length over any limit saturates, so that it is refused as too large rather than as wrong. */
static struct refusal apply_length(struct http_request *r, struct slice value)
{
    uint64_t length = 0;

    if (r->has_length)
        return (struct refusal){400, "content_length_twice"};
    for (size_t i = 0; i < value.bytes; i++) {
        if (!byte_is(value.at[i], BYTE_DIGIT))
            return (struct refusal){400, "content_length"};
        if (__builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(value.at[i] - '0'), &length))
            length = UINT64_MAX;
    }
    if (value.bytes == 0)
        return (struct refusal){400, "content_length"};
    r->has_length = true;
    r->content_length = length;
    return (struct refusal){0};
}

static struct refusal apply_coding(uint32_t *seen, struct slice value)
{
    struct slice coding;

    *seen |= SEEN_TRANSFER_ENCODING;
    while (list_next(&value, &coding)) {
        if (*seen & SEEN_CHUNKED)
            return (struct refusal){400, "chunked_not_last"};
        *seen |= slice_is(coding, SLICE("chunked")) ? SEEN_CHUNKED : SEEN_OTHER_CODING;
    }
    return (struct refusal){0};
}

static struct refusal apply_connection(uint32_t *seen, struct slice value)
{
    struct slice option;

    while (list_next(&value, &option)) {
        if (slice_is(option, SLICE("close")))
            *seen |= SEEN_CLOSE;
        else if (slice_is(option, SLICE("keep-alive")))
            *seen |= SEEN_KEEP_ALIVE;
    }
    return (struct refusal){0};
}

static struct refusal apply_expect(struct http_request *r, struct slice value)
{
    struct slice expectation;

    while (list_next(&value, &expectation)) {
        if (!slice_is(expectation, SLICE("100-continue")))
            return (struct refusal){417, "expectation"};
        r->expect_continue = true;
    }
    return (struct refusal){0};
}

/* Not inlined: the slices that walk through a list would cost every field a guard. */
static __attribute__((noinline)) struct refusal apply_list(struct http_request *r, uint32_t *seen, int id,
                                                           struct slice value)
{
    switch (id) {
    case FIELD_TRANSFER_ENCODING: return apply_coding(seen, value);
    case FIELD_CONNECTION: return apply_connection(seen, value);
    default: return apply_expect(r, value);
    }
}

/* The singletons among the fields that handlers read keep their first line. */
#define FIELDS_OF_LISTS                                                                                                \
    (1u << HTTP_FIELD_X_FORWARDED_FOR | 1u << HTTP_FIELD_FORWARDED | 1u << HTTP_FIELD_PURPOSE |                        \
     1u << HTTP_FIELD_X_PURPOSE | 1u << HTTP_FIELD_SEC_PURPOSE | 1u << HTTP_FIELD_X_MOZ | 1u << HTTP_FIELD_ACCEPT |    \
     1u << HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS)

struct refusal field_apply(struct http_request *r, uint32_t *seen, int id, struct slice value)
{
    switch (id) {
    case FIELD_HOST: return apply_host(r, seen, value);
    case FIELD_CONTENT_LENGTH: return apply_length(r, value);
    case FIELD_TRANSFER_ENCODING:
    case FIELD_CONNECTION:
    case FIELD_EXPECT: return apply_list(r, seen, id, value);
    default:
        if (r->field[id].at == NULL)
            r->field[id] = value;
        else if (FIELDS_OF_LISTS & 1u << id)
            r->field[id].bytes = (size_t)(value.at + value.bytes - r->field[id].at);
        return (struct refusal){0};
    }
}

static struct refusal framing_finish(struct http_request *r, uint32_t seen, const struct http_limits *limits)
{
    if (seen & SEEN_TRANSFER_ENCODING) {
        if (r->has_length)
            return (struct refusal){400, "length_and_coding"};
        if (r->minor_version == 0)
            return (struct refusal){400, "coding_in_1_0"};
        if (!(seen & SEEN_CHUNKED))
            return (struct refusal){400, "chunked_not_last"};
        if (seen & SEEN_OTHER_CODING)
            return (struct refusal){501, "coding_unknown"};
        r->chunked = true;
    }
    if (r->content_length > limits->body_bytes_max)
        return (struct refusal){413, "body_bytes"};
    return (struct refusal){0};
}

struct refusal field_finish(struct http_request *r, uint32_t seen, const struct http_limits *limits)
{
    bool persistent = r->minor_version > 0 || (seen & SEEN_KEEP_ALIVE);
    /* What follows a CONNECT that we refuse may be bytes of a third party, meant for a tunnel (RFC 9931). */
    r->keep_alive = persistent && !(seen & SEEN_CLOSE) && r->method != HTTP_CONNECT;

    if (r->minor_version > 0 && !(seen & SEEN_HOST))
        return (struct refusal){400, "host_missing"};
    struct refusal no = framing_finish(r, seen, limits);
    /* Nobody waits for a go-ahead without a body; from HTTP/1.0 it must be ignored (RFC 9110 section 10.1.1). */
    r->expect_continue &= r->minor_version > 0 && (r->chunked || r->content_length > 0);
    return no;
}
