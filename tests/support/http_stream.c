#include "support/http_stream.h"

void stream_init(struct stream *s, const struct http_limits *limits)
{
    *s = (struct stream){.limits = limits, .guard = guard_create(STREAM_BYTES_MAX)};
    http_parser_init(&s->parser, limits);
}

void stream_reset(struct stream *s, const struct http_limits *limits)
{
    buf_clear(&s->pending);
    buf_clear(&s->decoded);
    buf_clear(&s->log);
    s->limits = limits;
    s->in_body = s->ended = false;
    s->requests = 0;
    http_parser_init(&s->parser, limits);
}

void stream_fini(struct stream *s)
{
    guard_destroy(&s->guard);
    buf_fini(&s->pending);
    buf_fini(&s->decoded);
    buf_fini(&s->log);
}

/* A slice lies in the head; its bytes go to the log, since its place differs between runs. */
static void stream_log_slice(struct stream *s, const char *name, struct slice slice, const char *head,
                             size_t head_bytes)
{
    if (slice.at == NULL)
        return;
    assert(slice.at >= head && slice.at <= head + head_bytes && slice.bytes <= (size_t)(head + head_bytes - slice.at));
    buf_printf(&s->log, " %s@%zu=", name, (size_t)(slice.at - head));
    buf_append_slice(&s->log, slice);
}

/* What handlers do with a query must stay inside it. */
static void stream_check_query(struct slice query)
{
    struct slice rest = query, name, value;
    char out[256];
    const char *end = query.at + query.bytes;

    while (http_query_next(&rest, &name, &value)) {
        assert(name.at >= query.at && name.at + name.bytes <= value.at && value.at + value.bytes <= end);
        assert(name.bytes + value.bytes > 0 || value.at > name.at);
        int bytes = http_percent_decode(value, true, out, sizeof(out));
        assert(bytes >= -1 && (bytes < 0 || (size_t)bytes <= value.bytes));
    }
}

static bool line_is(const char *line, size_t bytes, const char *name)
{
    size_t name_bytes = strlen(name);
    return bytes > name_bytes && strncasecmp(line, name, name_bytes) == 0 && line[name_bytes] == ':';
}

/* An accepted head, looked at once more the naive way: this must not share code with what it checks. */
static void stream_check_head(const char *head, size_t bytes, const struct http_request *r)
{
    unsigned hosts = 0, lengths = 0, codings = 0, lines = 0;

    assert(bytes >= 4 && memcmp(head + bytes - 4, "\r\n\r\n", 4) == 0);
    while (bytes > 2 && head[0] == '\r') {
        head += 2;
        bytes -= 2;
    }
    for (size_t start = 0, at = 0; at < bytes; at++) {
        unsigned char c = (unsigned char)head[at];
        assert(c >= 0x20 ? c != 0x7f : c == '\t' || c == '\r' || c == '\n');
        assert((c == '\n') == (at > 0 && head[at - 1] == '\r'));
        if (c != '\n')
            continue;
        const char *line = head + start;
        size_t line_bytes = at - start - 1;
        start = at + 1;
        if (lines++ == 0 || line_bytes == 0)
            continue;
        const char *colon = memchr(line, ':', line_bytes);
        assert(colon != NULL && colon > line && memchr(line, ' ', (size_t)(colon - line)) == NULL &&
               memchr(line, '\t', (size_t)(colon - line)) == NULL);
        hosts += line_is(line, line_bytes, "host");
        lengths += line_is(line, line_bytes, "content-length");
        codings += line_is(line, line_bytes, "transfer-encoding");
    }
    assert(hosts <= 1 && (hosts == 1 || r->minor_version == 0));
    assert(lengths <= 1 && r->has_length == (lengths == 1));
    assert(r->chunked == (codings > 0) && !(r->chunked && r->has_length));
}

static void stream_log_request(struct stream *s, const char *head, size_t bytes)
{
    const struct http_request *r = &s->request;

    stream_check_head(head, bytes, r);
    buf_printf(&s->log, "request %d 1.%d%s%s%s%s %llu head=%zu", r->method, r->minor_version,
               r->keep_alive ? " keep" : "", r->expect_continue ? " expect" : "", r->chunked ? " chunked" : "",
               r->has_length ? " length" : "", (unsigned long long)r->content_length, bytes);
    stream_log_slice(s, "method", r->method_text, head, bytes);
    stream_log_slice(s, "path", r->path, head, bytes);
    stream_log_slice(s, "query", r->query, head, bytes);
    stream_log_slice(s, "host", r->host, head, bytes);
    for (int i = 0; i < HTTP_FIELDS; i++) {
        char name[] = {'f', (char)('0' + i), '\0'};
        stream_log_slice(s, name, r->field[i], head, bytes);
    }
    buf_append(&s->log, "\n", 1);
    if (r->query.at != NULL)
        stream_check_query(r->query);
}

static void stream_refused(struct stream *s, const char *where, int status, const char *reason)
{
    assert(status >= 400 && status <= 505 && reason != NULL);
    buf_printf(&s->log, "%s refused %d %s\n", where, status, reason);
    s->ended = true;
}

/* False: nothing more can be done with what there is. */
static bool stream_head(struct stream *s)
{
    const char *data = guard_copy(&s->guard, s->pending.data, s->pending.bytes);
    enum http_result result = http_parser_head(&s->parser, data, s->pending.bytes, &s->request);

    if (result == HTTP_MORE)
        assert(s->pending.bytes < s->limits->head_bytes_max);
    if (result == HTTP_BAD)
        stream_refused(s, "head", s->parser.status, s->parser.reason);
    if (result != HTTP_DONE)
        return false;
    assert(s->parser.head_bytes > 0 && s->parser.head_bytes <= s->pending.bytes);
    stream_log_request(s, data, s->parser.head_bytes);
    buf_consume(&s->pending, s->parser.head_bytes);
    http_body_init(&s->body, s->limits, &s->request);
    s->in_body = true;
    return true;
}

static bool stream_body(struct stream *s)
{
    struct slice in = {guard_copy(&s->guard, s->pending.data, s->pending.bytes), s->pending.bytes};
    enum http_result result;

    do {
        struct slice before = in, out;
        result = http_body_feed(&s->body, &in, &out);
        assert(in.at >= before.at && in.at + in.bytes == before.at + before.bytes);
        assert(result != HTTP_MORE || in.bytes < before.bytes || before.bytes == 0);
        assert(out.bytes == 0 || (out.at >= before.at && out.at + out.bytes <= in.at));
        buf_append_slice(&s->decoded, out);
        assert(s->decoded.bytes == s->body.decoded && s->decoded.bytes <= s->limits->body_bytes_max);
    } while (result == HTTP_MORE && in.bytes > 0);
    buf_consume(&s->pending, s->pending.bytes - in.bytes);
    if (result == HTTP_BAD)
        stream_refused(s, "body", s->body.status, s->body.reason);
    if (result != HTTP_DONE)
        return false;
    assert(s->request.chunked || s->decoded.bytes == s->request.content_length);
    buf_printf(&s->log, "body %zu ", s->decoded.bytes);
    buf_append_slice(&s->log, buf_slice(&s->decoded));
    buf_append(&s->log, "\n", 1);
    buf_clear(&s->decoded);
    http_parser_init(&s->parser, s->limits);
    s->in_body = false;
    s->requests++;
    return true;
}

void stream_push(struct stream *s, const char *data, size_t bytes)
{
    if (s->ended)
        return;
    buf_append(&s->pending, data, bytes);
    while (!s->ended && (s->in_body ? stream_body(s) : s->pending.bytes > 0 && stream_head(s)))
        ;
}

void stream_end(struct stream *s)
{
    if (!s->ended)
        buf_printf(&s->log, "end %s pending %zu decoded %zu\n", s->in_body ? "in body" : "in head", s->pending.bytes,
                   s->decoded.bytes);
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

size_t random_below(uint64_t *state, size_t bound) { return (size_t)(random_next(state) % bound); }

void stream_push_cut(struct stream *s, const char *data, size_t bytes, uint64_t seed)
{
    size_t usual = random_below(&seed, 3) == 0 ? 1 : 1 + random_below(&seed, 64);

    for (size_t at = 0; at < bytes;) {
        size_t piece = 1 + random_below(&seed, random_below(&seed, 8) == 0 ? 16 * usual : usual);
        piece = piece < bytes - at ? piece : bytes - at;
        stream_push(s, data + at, piece);
        at += piece;
    }
}

bool stream_same(const struct stream *a, const struct stream *b)
{
    return a->log.bytes == b->log.bytes && memcmp(a->log.data, b->log.data, a->log.bytes) == 0;
}
