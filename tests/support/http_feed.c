#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/http_feed.h"

struct guard *feed_guard(void)
{
    static struct guard guard;

    if (guard.start == NULL)
        guard = guard_create(FEED_BYTES_MAX);
    return &guard;
}

struct head_outcome feed_head(struct slice text, const struct http_limits *limits, size_t first, size_t step)
{
    struct http_parser p;
    struct head_outcome o = {.result = HTTP_MORE};
    const char *data = NULL;

    http_parser_init(&p, limits);
    for (size_t bytes = first; o.result == HTTP_MORE; bytes += step) {
        bytes = bytes < text.bytes ? bytes : text.bytes;
        data = guard_copy(feed_guard(), text.at, bytes);
        o.result = http_parser_head(&p, data, bytes, &o.r);
        if (bytes == text.bytes)
            break;
    }
    if (o.result == HTTP_BAD) {
        o.status = p.status;
        o.reason = p.reason;
    }
    o.head_bytes = o.result == HTTP_DONE ? p.head_bytes : 0;
    http_request_rebase(&o.r, data, text.at);
    return o;
}

static bool same_place(struct slice a, struct slice b) { return a.at == b.at && a.bytes == b.bytes; }

static bool same_request(const struct http_request *a, const struct http_request *b)
{
    bool same = a->method == b->method && same_place(a->method_text, b->method_text) &&
                a->minor_version == b->minor_version && a->keep_alive == b->keep_alive &&
                a->expect_continue == b->expect_continue && a->chunked == b->chunked &&
                a->has_length == b->has_length && a->content_length == b->content_length &&
                same_place(a->path, b->path) && same_place(a->query, b->query) && same_place(a->host, b->host);

    for (int i = 0; i < HTTP_FIELDS; i++)
        same = same && same_place(a->field[i], b->field[i]);
    return same;
}

bool same_text(const char *a, const char *b) { return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0); }

bool slice_is_text(struct slice s, const char *text)
{
    if (s.at == NULL || text == NULL)
        return s.at == text;
    return s.bytes == strlen(text) && memcmp(s.at, text, s.bytes) == 0;
}

void assert_slice(struct slice s, const char *text)
{
    if (!slice_is_text(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.bytes, s.at, text != NULL ? text : "(absent)");
}

void fail_at(struct slice text, const char *what, size_t first, size_t step)
{
    char shown[512];
    size_t at = 0;

    for (size_t i = 0; i < text.bytes && at + 5 < sizeof(shown); i++) {
        unsigned char c = (unsigned char)text.at[i];
        at += (size_t)snprintf(shown + at, sizeof(shown) - at, c < 0x20 || c > 0x7e ? "\\x%02x" : "%c", c);
    }
    shown[at] = '\0';
    fail_msg("%s, cut at %zu then every %zu: \"%s\"", what, first, step, shown);
}

static void check_same_head(struct slice text, const struct http_limits *limits, const struct head_outcome *whole,
                            size_t first, size_t step)
{
    struct head_outcome cut = feed_head(text, limits, first, step);

    if (cut.result != whole->result || cut.status != whole->status || !same_text(cut.reason, whole->reason) ||
        cut.head_bytes != whole->head_bytes)
        fail_at(text, "another result", first, step);
    if (whole->result == HTTP_DONE && !same_request(&cut.r, &whole->r))
        fail_at(text, "another request", first, step);
}

/* Long texts are cut at every 97th place only, and near the end. */
static size_t next_cut(size_t cut, size_t bytes) { return bytes < 2000 || cut + 97 + 40 > bytes ? cut + 1 : cut + 97; }

struct head_outcome feed_head_cut(struct slice text, const struct http_limits *limits)
{
    struct head_outcome whole = feed_head(text, limits, text.bytes, 1);

    for (size_t cut = 0; cut < text.bytes; cut = next_cut(cut, text.bytes))
        check_same_head(text, limits, &whole, cut, text.bytes);
    check_same_head(text, limits, &whole, 1, 1);
    return whole;
}

static struct body_outcome feed_body(struct slice text, const struct http_limits *limits, const struct http_request *r,
                                     size_t first, size_t step)
{
    struct http_body b;
    struct body_outcome o = {.result = HTTP_MORE};
    size_t at = 0;

    http_body_init(&b, limits, r);
    for (size_t piece = first; o.result == HTTP_MORE; piece = step) {
        piece = piece < text.bytes - at ? piece : text.bytes - at;
        struct slice in = {guard_copy(feed_guard(), text.at + at, piece), piece};
        do {
            struct slice out;
            o.result = http_body_feed(&b, &in, &out);
            assert_true(out.bytes == 0 || (out.at >= feed_guard()->end - piece && out.at + out.bytes <= in.at));
            buf_append_slice(&o.decoded, out);
        } while (o.result == HTTP_MORE && in.bytes > 0);
        at += piece - in.bytes;
        if (at == text.bytes)
            break;
    }
    if (o.result == HTTP_BAD) {
        o.status = b.status;
        o.reason = b.reason;
    }
    o.taken = at;
    return o;
}

static void check_same_body(struct slice text, const struct http_limits *limits, const struct http_request *r,
                            const struct body_outcome *whole, size_t first, size_t step)
{
    struct body_outcome cut = feed_body(text, limits, r, first, step);

    if (cut.result != whole->result || cut.status != whole->status || !same_text(cut.reason, whole->reason) ||
        cut.taken != whole->taken)
        fail_at(text, "another result", first, step);
    if (cut.decoded.bytes != whole->decoded.bytes ||
        (cut.decoded.bytes > 0 && memcmp(cut.decoded.data, whole->decoded.data, cut.decoded.bytes) != 0))
        fail_at(text, "another body", first, step);
    buf_fini(&cut.decoded);
}

struct body_outcome feed_body_cut(struct slice text, const struct http_limits *limits, const struct http_request *r)
{
    struct body_outcome whole = feed_body(text, limits, r, text.bytes, 1);

    for (size_t cut = 0; cut < text.bytes; cut = next_cut(cut, text.bytes))
        check_same_body(text, limits, r, &whole, cut, text.bytes);
    check_same_body(text, limits, r, &whole, 1, 1);
    return whole;
}

void check_head_rows(const struct head_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct head_outcome o = feed_head_cut(rows[i].text, &http_limits_default);
        if (o.status != rows[i].status || !same_text(o.reason, rows[i].reason) ||
            o.result != (rows[i].status == 0 ? HTTP_DONE : HTTP_BAD))
            fail_msg("%s: \"%.*s\" gave %d %s, not %d %s", rows[i].rule, (int)rows[i].text.bytes, rows[i].text.at,
                     o.status, o.reason != NULL ? o.reason : "(more or done)", rows[i].status,
                     rows[i].reason != NULL ? rows[i].reason : "");
    }
}
