#include "http/parser.h"

#include <stdlib.h>

#include "support/http_feed.h"

#define HOST "Host: a\r\n"

static struct head_outcome head_done(const char *text)
{
    struct head_outcome o = feed_head_cut((struct slice){text, strlen(text)}, &http_limits_default);
    if (o.result != HTTP_DONE)
        fail_msg("\"%s\" gave %d %s", text, o.status, o.reason ? o.reason : "more");
    return o;
}

static void test_small_get_is_read_into_its_parts(void **state)
{
    (void)state;
    const char *text = "GET /v1/hit/blog/some-page?n=5 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\nGET";
    struct head_outcome o = head_done(text);

    assert_int_equal(o.head_bytes, strlen(text) - 3);
    assert_int_equal(o.r.method, HTTP_GET);
    assert_slice(o.r.method_text, "GET");
    assert_int_equal(o.r.minor_version, 1);
    assert_true(o.r.keep_alive);
    assert_false(o.r.chunked || o.r.has_length || o.r.expect_continue);
    assert_slice(o.r.path, "/v1/hit/blog/some-page");
    assert_slice(o.r.query, "n=5");
    assert_slice(o.r.host, "127.0.0.1:8080");
    for (int i = 0; i < HTTP_FIELDS; i++)
        assert_slice(o.r.field[i], NULL);
}

static void test_browser_head_gives_the_fields_that_handlers_ask_for(void **state)
{
    (void)state;
    struct head_outcome o =
        head_done("POST /v1/hit/a/b HTTP/1.1\r\nHost: counter.example.com\r\nConnection: keep-alive\r\n"
                  "Content-Length: 12\r\nsec-ch-ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\nDNT: 1\r\n"
                  "sec-ch-ua-mobile: ?0\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
                  "Content-Type: text/plain;charset=UTF-8\r\nAccept: */*\r\nOrigin: https://example.org\r\n"
                  "Sec-Fetch-Site: cross-site\r\nSec-GPC: 1\r\nPurpose: prefetch\r\nSec-Purpose: prefetch;prerender\r\n"
                  "Referer: https://example.org/\r\nAccept-Encoding: gzip, deflate, br\r\n"
                  "X-Forwarded-For: 203.0.113.7\r\nAuthorization: Bearer abc\r\n"
                  "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n"
                  "X-Forwarded-For: 198.51.100.1\r\n\r\n");

    assert_int_equal(o.r.method, HTTP_POST);
    assert_slice(o.r.query, NULL);
    assert_true(o.r.has_length);
    assert_int_equal(o.r.content_length, 12);
    assert_slice(o.r.host, "counter.example.com");
    assert_slice(o.r.field[HTTP_FIELD_AUTHORIZATION], "Bearer abc");
    assert_slice(o.r.field[HTTP_FIELD_CONTENT_TYPE], "text/plain;charset=UTF-8");
    assert_slice(o.r.field[HTTP_FIELD_ORIGIN], "https://example.org");
    assert_slice(o.r.field[HTTP_FIELD_USER_AGENT], "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    assert_slice(o.r.field[HTTP_FIELD_DNT], "1");
    assert_slice(o.r.field[HTTP_FIELD_SEC_GPC], "1");
    assert_slice(o.r.field[HTTP_FIELD_PURPOSE], "prefetch");
    assert_slice(o.r.field[HTTP_FIELD_SEC_PURPOSE], "prefetch;prerender");
    assert_slice(o.r.field[HTTP_FIELD_X_FORWARDED_FOR],
                 "203.0.113.7\r\nAuthorization: Bearer abc\r\nAccess-Control-Request-Method: PUT\r\n"
                 "Access-Control-Request-Headers: authorization\r\nX-Forwarded-For: 198.51.100.1");
    assert_slice(o.r.field[HTTP_FIELD_ACCEPT], "*/*");
    assert_slice(o.r.field[HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD], "PUT");
    assert_slice(o.r.field[HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS], "authorization");
}

static void test_every_method_is_known_by_its_exact_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum http_method method;
    } rows[] = {
        {"GET", HTTP_GET},          {"HEAD", HTTP_HEAD},
        {"POST", HTTP_POST},        {"PUT", HTTP_PUT},
        {"DELETE", HTTP_DELETE},    {"PATCH", HTTP_PATCH},
        {"OPTIONS", HTTP_OPTIONS},  {"TRACE", HTTP_TRACE},
        {"get", HTTP_UNKNOWN},      {"GETS", HTTP_UNKNOWN},
        {"GE", HTTP_UNKNOWN},       {"BREW", HTTP_UNKNOWN},
        {"M-SEARCH", HTTP_UNKNOWN}, {"!#$%&'*+-.^_`|~09azAZ", HTTP_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "%s /x HTTP/1.1\r\n" HOST "\r\n", rows[i].name);
        struct head_outcome o = head_done(text);
        assert_int_equal(o.r.method, rows[i].method);
        assert_slice(o.r.method_text, rows[i].name);
    }
}

static void test_request_line_follows_the_grammar(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9112 3", SLICE("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400, "target"},
        {"RFC 9112 3", SLICE("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), 400, "method"},
        {"RFC 9112 3", SLICE("GET /  HTTP/1.1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 3", SLICE("GET /\tHTTP/1.1\r\n" HOST "\r\n"), 400, "target"},
        {"RFC 9112 3", SLICE("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 3", SLICE(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400, "method"},
        {"RFC 9112 3", SLICE("GET\r\n\r\n"), 400, "method"},
        {"RFC 9112 3", SLICE("GET \r\n\r\n"), 400, "target"},
        {"RFC 9110 9.1", SLICE("G(T / HTTP/1.1\r\n" HOST "\r\n"), 400, "method"},
        {"RFC 9110 9.1", SLICE("G\x80T / HTTP/1.1\r\n" HOST "\r\n"), 400, "method"},
        {"RFC 9110 9.1", SLICE("G\0T / HTTP/1.1\r\n" HOST "\r\n"), 400, "method"},
        {"RFC 9110 9.1", SLICE("\x16\x03\x01\x02\x00\x01\x00\x01"), 400, "method"},
        {"RFC 9112 2.2", SLICE("GET / HTTP/1.1\n" HOST "\r\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", SLICE("GET /\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", SLICE("GET\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", SLICE("\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", SLICE("GET / HTTP/1.1\r" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.2", SLICE("GET / HTTP/1.1\r\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.2", SLICE("\rGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "bare_cr"},
        {"RFC 9112 2.2", SLICE("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 0, NULL},
        {"RFC 9112 2.2", SLICE("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 0, NULL},
        {"RFC 9112 2.2", SLICE("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "empty_lines"},
        {"RFC 9112 2.2", SLICE("\r\n\r\r\n"), 400, "bare_cr"},
    };
    CHECK_HEAD_ROWS(rows);
}

static void test_each_http_version_has_its_verdict(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9112 2.3", SLICE("GET / HTTP/1.1\r\n" HOST "\r\n"), 0, NULL},
        {"RFC 9112 2.3", SLICE("GET / HTTP/1.0\r\n\r\n"), 0, NULL},
        {"RFC 9110 2.5", SLICE("GET / HTTP/1.2\r\n" HOST "\r\n"), 0, NULL},
        {"RFC 9110 2.5", SLICE("GET / HTTP/1.9\r\n\r\n"), 400, "host_missing"},
        {"RFC 9110 15.6.6", SLICE("GET / HTTP/2.0\r\n" HOST "\r\n"), 505, "version_unknown"},
        {"RFC 9113 3.4", SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "version_unknown"},
        {"RFC 9110 15.6.6", SLICE("GET / HTTP/9.9\r\n\r\n"), 505, "version_unknown"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/0.9\r\n\r\n"), 400, "version"},
        {"HTTP/0.9", SLICE("GET /\r\n"), 400, "version"},
        {"HTTP/0.9", SLICE("GET /?a\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / http/1.1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/1.\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/1.10\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/11.1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/+1.1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTP/1,1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / HTTPS/1.1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET / ICY/1.1\r\n" HOST "\r\n"), 400, "version"},
        {"RFC 9112 2.3", SLICE("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400, "version"},
    };
    CHECK_HEAD_ROWS(rows);
    assert_int_equal(head_done("GET / HTTP/1.0\r\n\r\n").r.minor_version, 0);
    assert_int_equal(head_done("GET / HTTP/1.7\r\n" HOST "\r\n").r.minor_version, 1);
}

static void test_field_lines_follow_the_grammar(void **state)
{
    (void)state;
#define LINES(lines) SLICE("GET / HTTP/1.1\r\n" HOST lines "\r\n")
    static const struct head_row rows[] = {
        {"RFC 9112 5", LINES("A: b\r\n"), 0, NULL},
        {"RFC 9112 5", LINES("A:b\r\n"), 0, NULL},
        {"RFC 9112 5", LINES("A:\r\n"), 0, NULL},
        {"RFC 9112 5", LINES("A: \t \r\n"), 0, NULL},
        {"RFC 9112 5", LINES("A: :b: c\t \r\n"), 0, NULL},
        {"RFC 9110 5.1", LINES("!#$%&'*+-.^_`|~09azAZ: b\r\n"), 0, NULL},
        {"RFC 9110 5.5", LINES("A: \x80\xff \"<>#\\{}\t~!\r\n"), 0, NULL},
        {"RFC 9112 5.1", LINES("A : b\r\n"), 400, "space_before_colon"},
        {"RFC 9112 5.1", LINES("A\t: b\r\n"), 400, "space_before_colon"},
        {"RFC 9112 5.1", LINES("A B: c\r\n"), 400, "space_before_colon"},
        {"RFC 9112 5.2", LINES("A: b\r\n c\r\n"), 400, "obs_fold"},
        {"RFC 9112 5.2", LINES("A: b\r\n\tc: d\r\n"), 400, "obs_fold"},
        {"RFC 9112 2.2", SLICE("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400, "obs_fold"},
        {"RFC 9110 5.1", LINES(": b\r\n"), 400, "field_name"},
        {"RFC 9110 5.1", LINES("A\r\n"), 400, "field_name"},
        {"RFC 9110 5.1", LINES("A(: b\r\n"), 400, "field_name"},
        {"RFC 9110 5.1", LINES("\"A\": b\r\n"), 400, "field_name"},
        {"RFC 9110 5.1", LINES("A\x80: b\r\n"), 400, "field_name"},
        {"RFC 9110 5.1", LINES("A\0: b\r\n"), 400, "field_name"},
        {"RFC 9110 5.1", LINES("X-Quite-A-Long-Name-With(: b\r\n"), 400, "field_name"},
        {"RFC 9110 5.5", LINES("A: b\0c\r\n"), 400, "field_value"},
        {"RFC 9110 5.5", LINES("A: b\x01\r\n"), 400, "field_value"},
        {"RFC 9110 5.5", LINES("A: b\x1f\r\n"), 400, "field_value"},
        {"RFC 9110 5.5", LINES("A: b\x7f\r\n"), 400, "field_value"},
        {"RFC 9110 5.5", LINES("A: \x0b\r\n"), 400, "field_value"},
        {"RFC 9112 2.2", LINES("A: b\nC: d\r\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", LINES("A\n: d\r\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", LINES("A: b\rC: d\r\n"), 400, "bare_cr"},
        {"RFC 9112 2.2", LINES("A: b\r\r\n"), 400, "bare_cr"},
        {"RFC 9112 2.2", LINES("\rA: b\r\n"), 400, "bare_cr"},
        {"RFC 9112 2.2", LINES("\n"), 400, "bare_lf"},
        {"RFC 9112 2.2", SLICE("GET / HTTP/1.1\r\n" HOST "\r\rA"), 400, "bare_cr"},
    };
#undef LINES
    CHECK_HEAD_ROWS(rows);
}

static void test_values_are_trimmed_of_blanks_only_at_their_ends(void **state)
{
    (void)state;
    assert_slice(head_done("GET / HTTP/1.1\r\n" HOST "Accept: \t a \t b\t \r\n\r\n").r.field[HTTP_FIELD_ACCEPT],
                 "a \t b");
    assert_slice(head_done("GET / HTTP/1.1\r\n" HOST "Accept: \t \r\n\r\n").r.field[HTTP_FIELD_ACCEPT], "");
    assert_slice(head_done("GET / HTTP/1.1\r\n" HOST "Accept:x\r\n\r\n").r.field[HTTP_FIELD_ACCEPT], "x");
}

static enum http_result result_of(const char *text, size_t bytes)
{
    return feed_head((struct slice){text, bytes}, &http_limits_default, bytes, 1).result;
}

static void test_every_byte_is_accepted_or_refused_as_its_class_says(void **state)
{
    (void)state;
    /* RFC 9110 section 5.5 for values; target.h for targets. Every place of a block of 16 and of the rest behind it. */
    for (int c = 0; c < 256; c++) {
        char head[] = "GET /........................?........................ HTTP/1.1\r\n"
                      "Host: a\r\nA: .......................\r\n\r\n";
        size_t bytes = sizeof(head) - 1;
        bool in_query = c > 0x20 && c < 0x7f && strchr("\"#<>", c) == NULL;
        bool in_path = in_query && c != '\\';
        bool in_value = c == '\t' || (c >= 0x20 && c != 0x7f);

        for (size_t at = 5; at < bytes - 4; at++) {
            if (head[at] != '.' || head[at - 1] == '1')
                continue;
            head[at] = (char)c;
            bool accepted = at < 29 ? in_path : at < 60 ? in_query : in_value;
            assert_int_equal(result_of(head, bytes), accepted ? HTTP_DONE : HTTP_BAD);
            head[at] = '.';
        }
    }
}

static const struct http_limits small_limits = {
    .line_bytes_max = 40,
    .head_bytes_max = 100,
    .fields_max = 3,
    .body_bytes_max = 10,
    .chunk_ext_bytes_max = 10,
};

static void test_line_over_the_limit_is_414_before_its_end_arrives(void **state)
{
    (void)state;
    /* 40 bytes with the CRLF. */
    struct slice fits = SLICE("GET /012345678901234567890123 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct slice over = SLICE("GET /0123456789012345678901234 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct slice endless = SLICE("GET /?0123456789012345678901234567890123");

    assert_int_equal(feed_head_cut(fits, &small_limits).result, HTTP_DONE);
    assert_int_equal(feed_head_cut(over, &small_limits).status, 414);
    assert_int_equal(feed_head_cut(endless, &small_limits).status, 414);
    endless.bytes--;
    assert_int_equal(feed_head_cut(endless, &small_limits).result, HTTP_MORE);
    assert_int_equal(feed_head_cut(SLICE("METHODMETHODMETHODMETHODMETHODMETHODMETHOD"), &small_limits).status, 414);
    assert_int_equal(
        feed_head_cut(SLICE("\r\n\r\nGET /012345678901234567890123 HTTP/1.1\r\nHost: a\r\n\r\n"), &small_limits).result,
        HTTP_DONE);
}

static void test_head_over_the_limit_is_431_before_its_end_arrives(void **state)
{
    (void)state;
#define START "GET / HTTP/1.1\r\nHost: a\r\nB: "
#define FIFTY "01234567890123456789012345678901234567890123456789"
    struct slice fits = SLICE(START FIFTY "012345678901234567"
                                          "\r\n\r\n");
    struct slice over = SLICE(START FIFTY "0123456789012345678"
                                          "\r\n\r\n");
    struct slice endless = SLICE(START FIFTY FIFTY);

    assert_int_equal(feed_head_cut(fits, &small_limits).result, HTTP_DONE);
    assert_int_equal(feed_head_cut(over, &small_limits).status, 431);
    assert_int_equal(feed_head_cut(endless, &small_limits).status, 431);
    endless.bytes = 99;
    assert_int_equal(feed_head_cut(endless, &small_limits).result, HTTP_MORE);
}

static void test_one_field_too_many_is_431(void **state)
{
    (void)state;
    assert_int_equal(feed_head_cut(SLICE("GET / HTTP/1.1\r\n" HOST "B: c\r\nD: e\r\n\r\n"), &small_limits).result,
                     HTTP_DONE);
    struct head_outcome o =
        feed_head_cut(SLICE("GET / HTTP/1.1\r\n" HOST "B: c\r\nD: e\r\nF: g\r\n\r\n"), &small_limits);
    assert_int_equal(o.status, 431);
    assert_string_equal(o.reason, "fields");
}

static void test_default_limits_hold_at_full_size(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, "GET /", 5);
    while (b.bytes < 8192 - 11)
        buf_append(&b, "x", 1);
    buf_append(&b, " HTTP/1.1\r\n", 11);
    assert_int_equal(b.bytes, 8192);
    buf_append(&b, "Host: a\r\nB: ", 12);
    while (b.bytes < 16384 - 4)
        buf_append(&b, "y", 1);
    buf_append(&b, "\r\n\r\n", 4);
    assert_int_equal(feed_head_cut(buf_slice(&b), &http_limits_default).result, HTTP_DONE);
    b.data[b.bytes - 4] = 'y';
    b.data[b.bytes - 3] = 'y';
    assert_int_equal(feed_head_cut(buf_slice(&b), &http_limits_default).status, 431);
    memset(b.data + 8192 - 11, 'x', 11);
    assert_int_equal(feed_head_cut(buf_slice(&b), &http_limits_default).status, 414);
    buf_fini(&b);
}

static void test_pipelined_heads_are_read_one_after_the_other(void **state)
{
    (void)state;
    const char *text =
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: b\r\n\r\n\r\nGET /3 HTTP/1.0\r\n\r\n";
    const char *paths[] = {"/1", "/2", "/3"};

    for (int i = 0; i < 3; i++) {
        struct head_outcome o = head_done(text);
        assert_slice(o.r.path, paths[i]);
        text += o.head_bytes;
    }
    assert_int_equal(*text, '\0');
}

static void test_bad_stays_bad_whatever_comes(void **state)
{
    (void)state;
    struct http_parser p;
    struct http_request r;
    const char *text = "GET / HTTP/1.1\nHost: a\r\n\r\n";

    http_parser_init(&p, &http_limits_default);
    assert_int_equal(http_parser_head(&p, text, 15, &r), HTTP_BAD);
    assert_int_equal(http_parser_head(&p, text, strlen(text), &r), HTTP_BAD);
    assert_int_equal(p.status, 400);
    assert_string_equal(p.reason, "bare_lf");
}

static void test_slow_head_keeps_its_slices_when_the_bytes_move(void **state)
{
    (void)state;
    const char *text = "GET /path?query HTTP/1.1\r\nHost: host\r\nAccept: here\r\nX: y\r\n\r\n";
    size_t bytes = strlen(text);
    struct http_parser p;
    struct http_request r;
    char *last = NULL;

    http_parser_init(&p, &http_limits_default);
    for (size_t i = 1; i <= bytes; i++) {
        char *copy = malloc(i);
        memcpy(copy, text, i);
        assert_int_equal(http_parser_head(&p, copy, i, &r), i < bytes ? HTTP_MORE : HTTP_DONE);
        if (last != NULL) {
            memset(last, '!', i - 1);
            free(last);
        }
        last = copy;
    }
    assert_slice(r.path, "/path");
    assert_slice(r.query, "query");
    assert_slice(r.host, "host");
    assert_slice(r.field[HTTP_FIELD_ACCEPT], "here");
    free(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_get_is_read_into_its_parts),
        cmocka_unit_test(test_browser_head_gives_the_fields_that_handlers_ask_for),
        cmocka_unit_test(test_every_method_is_known_by_its_exact_name),
        cmocka_unit_test(test_request_line_follows_the_grammar),
        cmocka_unit_test(test_each_http_version_has_its_verdict),
        cmocka_unit_test(test_field_lines_follow_the_grammar),
        cmocka_unit_test(test_values_are_trimmed_of_blanks_only_at_their_ends),
        cmocka_unit_test(test_every_byte_is_accepted_or_refused_as_its_class_says),
        cmocka_unit_test(test_line_over_the_limit_is_414_before_its_end_arrives),
        cmocka_unit_test(test_head_over_the_limit_is_431_before_its_end_arrives),
        cmocka_unit_test(test_one_field_too_many_is_431),
        cmocka_unit_test(test_default_limits_hold_at_full_size),
        cmocka_unit_test(test_pipelined_heads_are_read_one_after_the_other),
        cmocka_unit_test(test_bad_stays_bad_whatever_comes),
        cmocka_unit_test(test_slow_head_keeps_its_slices_when_the_bytes_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
