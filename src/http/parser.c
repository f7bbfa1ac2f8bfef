#include "http/parser.h"

#include <assert.h>

#include "http/field.h"
#include "http/scan.h"
#include "http/target.h"

/*   EMPTY_LINES -> METHOD -> TARGET -> VERSION -> NAME <-> VALUE
 *                                                  |
 *                                                 DONE        BAD from anywhere
 *
 * A state is only stored when bytes run out: a head that is all there never goes through the memory of one.
 * Every read_*() takes the first byte it has not seen and gives the first one it does not want, or NULL after
 * stop_more() or stop_bad(). */
enum state {
    STATE_EMPTY_LINES,
    STATE_METHOD,
    STATE_TARGET,
    STATE_VERSION,
    STATE_NAME,
    STATE_VALUE,
    STATE_DONE,
    STATE_BAD,
};

enum {
    EMPTY_LINES_MAX = 4,
    VERSION_BYTES = 10, /* "HTTP/1.1\r\n" */
};

const struct http_limits http_limits_default = {
    .line_bytes_max = 8192,
    .head_bytes_max = 16384,
    .fields_max = 100,
    .body_bytes_max = 65536,
    .chunk_ext_bytes_max = 4096,
};

static const char *stop_more(struct http_parser *p, enum state state, const char *at)
{
    p->state = state;
    p->scanned = (size_t)(at - p->data);
    return NULL;
}

static const char *stop_bad(struct http_parser *p, int status, const char *reason)
{
    p->state = STATE_BAD;
    p->status = status;
    p->reason = reason;
    return NULL;
}

static const char *read_empty_lines(struct http_parser *p, const char *at, const char *end)
{
    while (at < end && *at == '\r') {
        if (at + 1 == end)
            return stop_more(p, STATE_EMPTY_LINES, at);
        if (at[1] != '\n')
            return stop_bad(p, 400, "bare_cr");
        at += 2;
        if (at - p->data > 2 * EMPTY_LINES_MAX)
            return stop_bad(p, 400, "empty_lines");
    }
    if (at == end)
        return stop_more(p, STATE_EMPTY_LINES, at);
    p->line = p->mark = (size_t)(at - p->data);
    return at;
}

static enum http_method method_find(struct slice name)
{
    static const struct {
        struct slice name;
        enum http_method method;
    } methods[] = {
        {SLICE("GET"), HTTP_GET},     {SLICE("HEAD"), HTTP_HEAD},       {SLICE("POST"), HTTP_POST},
        {SLICE("PUT"), HTTP_PUT},     {SLICE("DELETE"), HTTP_DELETE},   {SLICE("OPTIONS"), HTTP_OPTIONS},
        {SLICE("PATCH"), HTTP_PATCH}, {SLICE("CONNECT"), HTTP_CONNECT}, {SLICE("TRACE"), HTTP_TRACE},
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (slice_equals(name, methods[i].name))
            return methods[i].method;
    }
    return HTTP_UNKNOWN;
}

static const char *read_method(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    const char *start = p->data + p->mark;

    if (end - start >= 4 && memcmp(start, "GET ", 4) == 0) { /* nearly every hit: no scan, no search */
        at = start + 3;
        r->method = HTTP_GET;
    } else {
        at = scan_class(at, end, BYTE_TOKEN);
        if (at == end)
            return stop_more(p, STATE_METHOD, at);
        if (*at != ' ' || at == start)
            return stop_bad(p, 400, *at == '\n' ? "bare_lf" : "method");
        r->method = method_find((struct slice){start, (size_t)(at - start)});
    }
    r->method_text = (struct slice){start, (size_t)(at - start)};
    r->path.at = ++at;
    return at;
}

static const char *read_target(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    struct slice *part = r->query.at != NULL ? &r->query : &r->path;

    if (part == &r->path) {
        at = scan_path(at, end);
        if (at < end && *at == '?') {
            part->bytes = (size_t)(at - part->at);
            part = &r->query;
            part->at = ++at;
        }
    }
    if (part == &r->query)
        at = scan_query(at, end);
    if (at == end)
        return stop_more(p, STATE_TARGET, at);
    if (*at == '\r' && at > r->path.at)
        return stop_bad(p, 400, "version"); /* HTTP/0.9 */
    if (*at != ' ' || at == r->path.at)
        return stop_bad(p, 400, *at == '\n' ? "bare_lf" : "target");
    part->bytes = (size_t)(at - part->at);
    return at + 1;
}

/* How far the bytes have the shape of "HTTP/d.d\r\n". */
static size_t version_shaped(const char *at, size_t bytes)
{
    static const char shape[VERSION_BYTES] = "HTTP/0.0\r\n";
    size_t i = 0;

    while (i < bytes && (shape[i] == '0' ? byte_is(at[i], BYTE_DIGIT) : at[i] == shape[i]))
        i++;
    return i;
}

static const char *read_version(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    size_t bytes = (size_t)(end - at) < VERSION_BYTES ? (size_t)(end - at) : VERSION_BYTES;

    if (bytes == VERSION_BYTES && memcmp(at, "HTTP/1.1\r\n", VERSION_BYTES) == 0) {
        r->minor_version = 1;
    } else {
        size_t shaped = version_shaped(at, bytes);
        if (shaped < bytes)
            return stop_bad(p, 400, at[shaped] == '\n' ? "bare_lf" : "version");
        if (bytes < VERSION_BYTES)
            return stop_more(p, STATE_VERSION, at);
        if (at[5] != '1')
            return at[5] == '0' ? stop_bad(p, 400, "version") : stop_bad(p, 505, "version_unknown");
        r->minor_version = at[7] != '0';
    }
    if (!target_is_path(r)) {
        if (!target_split(r))
            return stop_bad(p, 400, "target_form");
        if (r->host.at != NULL)
            p->seen |= SEEN_TARGET_HOST;
    }
    return at + VERSION_BYTES;
}

static const char *read_line(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    if (p->state <= STATE_EMPTY_LINES && (at = read_empty_lines(p, at, end)) == NULL)
        return NULL;

    /* Only what fits in a line is looked at, so that a line over the limit says 414 wherever it was cut. */
    const char *line = p->data + p->line;
    if ((size_t)(end - line) > p->limits->line_bytes_max)
        end = line + p->limits->line_bytes_max;

    if (p->state <= STATE_METHOD && (at = read_method(p, r, at, end)) == NULL)
        return NULL;
    if (p->state <= STATE_TARGET && (at = read_target(p, r, at, end)) == NULL)
        return NULL;
    return read_version(p, r, at, end);
}

static const char *name_refusal(char c, bool first)
{
    switch (c) {
    case '\n': return "bare_lf";
    case ' ':
    case '\t': return first ? "obs_fold" : "space_before_colon";
    default: return "field_name";
    }
}

/* The name and its colon; the value starts at mark. */
static const char *read_name(struct http_parser *p, const char *at, const char *end)
{
    at = scan_token(at, end);
    if (at == end)
        return stop_more(p, STATE_NAME, at);
    const char *start = p->data + p->mark;
    if (*at != ':' || at == start)
        return stop_bad(p, 400, name_refusal(*at, at == start));
    p->field = field_find((struct slice){start, (size_t)(at - start)});
    at++;
    p->mark = (size_t)(at - p->data);
    return at;
}

static struct slice value_trim(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (at < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (struct slice){at, (size_t)(end - at)};
}

/* The value and its CRLF; the next line starts at mark. */
static const char *read_value(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    at = scan_value(at, end);
    if (at == end || (*at == '\r' && at + 1 == end))
        return stop_more(p, STATE_VALUE, at);
    if (*at != '\r')
        return stop_bad(p, 400, *at == '\n' ? "bare_lf" : "field_value");
    if (at[1] != '\n')
        return stop_bad(p, 400, "bare_cr");
    if (p->field != FIELD_OTHER) {
        struct refusal no = field_apply(r, &p->seen, p->field, value_trim(p->data + p->mark, at));
        if (no.status != 0)
            return stop_bad(p, no.status, no.reason);
    }
    at += 2;
    p->mark = (size_t)(at - p->data);
    return at;
}

/* The empty line: `at` stands on its CR. */
static const char *read_end(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    if (at + 1 == end)
        return stop_more(p, STATE_NAME, at);
    if (at[1] != '\n')
        return stop_bad(p, 400, "bare_cr");
    struct refusal no = field_finish(r, p->seen, p->limits);
    return no.status == 0 ? at + 2 : stop_bad(p, no.status, no.reason);
}

static const char *read_fields(struct http_parser *p, struct http_request *r, const char *at, const char *end)
{
    bool in_value = p->state == STATE_VALUE, in_name = !in_value && at != p->data + p->mark;

    while (at != NULL) {
        if (!in_value && !in_name) {
            if (at == end)
                return stop_more(p, STATE_NAME, at);
            if (*at == '\r')
                return read_end(p, r, at, end);
            if (p->fields++ == p->limits->fields_max)
                return stop_bad(p, 431, "fields");
        }
        if (!in_value)
            at = read_name(p, at, end);
        if (at != NULL)
            at = read_value(p, r, at, end);
        in_value = in_name = false;
    }
    return NULL;
}

/* Stopped; when bytes ran out: may more come, or is a limit reached already? */
static enum http_result head_stopped(struct http_parser *p, size_t visible)
{
    if (p->state != STATE_BAD) {
        bool in_line = p->state == STATE_METHOD || p->state == STATE_TARGET || p->state == STATE_VERSION;
        if (in_line && visible - p->line >= p->limits->line_bytes_max)
            stop_bad(p, 414, "line_bytes");
        else if (visible >= p->limits->head_bytes_max)
            stop_bad(p, 431, "head_bytes");
    }
    return p->state == STATE_BAD ? HTTP_BAD : HTTP_MORE;
}

/* In pieces: all at once the compiler would make it "rep stos", whose start alone takes a fifth of a short head. */
static void request_clear(struct http_request *r)
{
    enum { PIECE = 64 };

#pragma GCC unroll 16
    for (size_t at = 0; at < sizeof(*r); at += PIECE)
        memset((char *)r + at, 0, sizeof(*r) - at < PIECE ? sizeof(*r) - at : PIECE);
}

void http_parser_init(struct http_parser *p, const struct http_limits *limits)
{
    *p = (struct http_parser){.limits = limits, .state = STATE_EMPTY_LINES};
}

enum http_result http_parser_head(struct http_parser *p, const char *data, size_t bytes, struct http_request *r)
{
    assert(p->state != STATE_DONE);
    if (p->state == STATE_BAD)
        return HTTP_BAD;
    if (p->data == NULL)
        request_clear(r);
    else if (p->data != data)
        http_request_rebase(r, p->data, data);
    p->data = data;

    size_t visible = bytes < p->limits->head_bytes_max ? bytes : p->limits->head_bytes_max;
    const char *at = data + p->scanned, *end = data + visible;
    if (p->state <= STATE_VERSION) {
        at = read_line(p, r, at, end);
        if (at != NULL)
            p->mark = (size_t)(at - data);
    }
    if (at != NULL)
        at = read_fields(p, r, at, end);
    if (at == NULL)
        return head_stopped(p, visible);
    p->state = STATE_DONE;
    p->head_bytes = (size_t)(at - data);
    return HTTP_DONE;
}
