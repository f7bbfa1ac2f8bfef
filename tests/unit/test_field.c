#include "http/field.h"
#include "http/list.h"

#include "support/http_feed.h"

#define GET(lines) SLICE("GET / HTTP/1.1\r\n" lines "\r\n")
#define GET_HOST(lines) SLICE("GET / HTTP/1.1\r\nHost: a\r\n" lines "\r\n")
#define GET_1_0(lines) SLICE("GET / HTTP/1.0\r\n" lines "\r\n")
#define POST(lines) SLICE("POST / HTTP/1.1\r\nHost: a\r\n" lines "\r\n")

static struct http_request request_of(struct slice text)
{
    struct head_outcome o = feed_head_cut(text, &http_limits_default);
    if (o.result != HTTP_DONE)
        fail_msg("\"%.*s\" gave %d %s", (int)text.bytes, text.at, o.status, o.reason ? o.reason : "more");
    return o.r;
}

static void test_known_names_are_found_in_any_case_and_others_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int id;
    } rows[] = {
        {"Authorization", HTTP_FIELD_AUTHORIZATION},
        {"Content-Type", HTTP_FIELD_CONTENT_TYPE},
        {"Origin", HTTP_FIELD_ORIGIN},
        {"Referer", HTTP_FIELD_REFERER},
        {"User-Agent", HTTP_FIELD_USER_AGENT},
        {"DNT", HTTP_FIELD_DNT},
        {"Sec-GPC", HTTP_FIELD_SEC_GPC},
        {"Purpose", HTTP_FIELD_PURPOSE},
        {"Sec-Purpose", HTTP_FIELD_SEC_PURPOSE},
        {"X-Forwarded-For", HTTP_FIELD_X_FORWARDED_FOR},
        {"Accept", HTTP_FIELD_ACCEPT},
        {"Access-Control-Request-Method", HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD},
        {"Access-Control-Request-Headers", HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS},
        {"Host", FIELD_HOST},
        {"Content-Length", FIELD_CONTENT_LENGTH},
        {"Transfer-Encoding", FIELD_TRANSFER_ENCODING},
        {"Connection", FIELD_CONNECTION},
        {"Expect", FIELD_EXPECT},
    };
    static const char *others[] = {
        "H",
        "Hos",
        "Hosts",
        "Hast",
        "h0st",
        "Acceqt",
        "X-Forwarded-Fo",
        "X-Forwarded-Fox",
        "X_Forwarded_For",
        "Content_Length",
        "Transfer-Encodinh",
        "Access-Control-Request-HeadersX",
        "~",
        "Exp3ct",
        "Sec-GP3",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[64];
        size_t bytes = strlen(rows[i].name);
        /* Every letter in both cases: an even and an odd mask. */
        for (unsigned mask = 0; mask < 4; mask++) {
            for (size_t at = 0; at <= bytes; at++) {
                char c = rows[i].name[at];
                bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
                name[at] = letter ? (char)((c & ~0x20) | (mask >> (at & 1) & 1 ? 0x20 : 0)) : c;
            }
            assert_int_equal(field_find((struct slice){name, bytes}), rows[i].id);
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(field_find((struct slice){others[i], strlen(others[i])}), FIELD_OTHER);
}

static void test_host_is_there_once_and_valid(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9112 3.2", GET("Host: a\r\n"), 0, NULL},
        {"RFC 9112 3.2", GET("hOsT:a\r\n"), 0, NULL},
        {"RFC 9112 3.2 no authority", GET("Host:\r\n"), 0, NULL},
        {"RFC 9112 3.2", GET(""), 400, "host_missing"},
        {"RFC 9112 3.2", GET("Accept: a\r\n"), 400, "host_missing"},
        {"RFC 9112 3.2", GET("Host: a\r\nHost: a\r\n"), 400, "host_twice"},
        {"RFC 9112 3.2", GET("Host: a\r\nX: y\r\nhost: b\r\n"), 400, "host_twice"},
        {"RFC 9112 3.2", GET("Host:\r\nHost:\r\n"), 400, "host_twice"},
        {"RFC 9112 3.2", GET("Host: a b\r\n"), 400, "host"},
        {"RFC 9112 3.2", GET("Host: a, b\r\n"), 400, "host"},
        {"RFC 9112 3.2", GET("Host: a/b\r\n"), 400, "host"},
        {"RFC 9112 3.2", GET("Host: user@a\r\n"), 400, "host"},
        {"RFC 9112 3.2", GET_1_0(""), 0, NULL},
        {"RFC 9112 3.2", GET_1_0("Host: a\r\n"), 0, NULL},
        {"RFC 9112 3.2", GET_1_0("Host: a\r\nHost: a\r\n"), 400, "host_twice"},
        {"RFC 9112 3.2", GET_1_0("Host: a b\r\n"), 400, "host"},
        {"RFC 9112 3.2.2", SLICE("GET http://b/ HTTP/1.1\r\n\r\n"), 400, "host_missing"},
        {"RFC 9112 3.2.2", SLICE("GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n"), 400, "host"},
    };
    CHECK_HEAD_ROWS(rows);
}

static void test_content_length_is_digits_and_there_once(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9110 8.6", POST("Content-Length: 0\r\n"), 0, NULL},
        {"RFC 9110 8.6", POST("Content-Length: 65536\r\n"), 0, NULL},
        {"RFC 9110 8.6", POST("Content-Length: 000000000000000000000000000005\r\n"), 0, NULL},
        {"RFC 9110 8.6", POST("Content-Length:\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: +5\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: -5\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: 5 5\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: 0x5\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: 5.0\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: 5e1\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: \"5\"\r\n"), 400, "content_length"},
        {"RFC 9110 8.6", POST("Content-Length: \xb2\r\n"), 400, "content_length"},
        {"RFC 9110 8.6 list", POST("Content-Length: 5, 5\r\n"), 400, "content_length"},
        {"RFC 9112 6.3", POST("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "content_length_twice"},
        {"RFC 9112 6.3", POST("Content-Length: 5\r\nContent-Length: 6\r\n"), 400, "content_length_twice"},
        {"RFC 9110 15.5.14", POST("Content-Length: 65537\r\n"), 413, "body_bytes"},
        {"RFC 9110 8.6 overflow", POST("Content-Length: 18446744073709551615\r\n"), 413, "body_bytes"},
        {"RFC 9110 8.6 overflow", POST("Content-Length: 18446744073709551616\r\n"), 413, "body_bytes"},
        {"RFC 9110 8.6 overflow", POST("Content-Length: 18446744073709551621\r\n"), 413, "body_bytes"},
        {"RFC 9110 8.6 overflow", POST("Content-Length: 99999999999999999999999999999999999999999\r\n"), 413,
         "body_bytes"},
        {"RFC 9110 8.6 overflow", POST("Content-Length: 184467440737095516160000000000000000000000x\r\n"), 400,
         "content_length"},
    };
    CHECK_HEAD_ROWS(rows);
    assert_int_equal(request_of(POST("Content-Length: 0065536 \r\n")).content_length, 65536);
    assert_true(request_of(POST("Content-Length: 0\r\n")).has_length);
}

static void test_transfer_encoding_is_chunked_and_nothing_else(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9112 6.1", POST("Transfer-Encoding: chunked\r\n"), 0, NULL},
        {"RFC 9112 7", POST("transfer-encoding:\tChUnKeD\t\r\n"), 0, NULL},
        {"RFC 9110 5.6.1.2", POST("Transfer-Encoding: , chunked ,,\r\n"), 0, NULL},
        {"RFC 9112 6.1", POST("Transfer-Encoding: gzip, chunked\r\n"), 501, "coding_unknown"},
        {"RFC 9112 6.1", POST("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501, "coding_unknown"},
        {"RFC 9112 6.1", POST("Transfer-Encoding: chunked;q=1, chunked\r\n"), 501, "coding_unknown"},
        {"RFC 9112 6.1", POST("Transfer-Encoding: x\x80, chunked\r\n"), 501, "coding_unknown"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: gzip\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: identity\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: chunked, gzip\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: chunked, identity\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.1 twice", POST("Transfer-Encoding: chunked, chunked\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.1 twice", POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
         "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding:\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: xchunked\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: chunkedx\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: \"chunked\"\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: chunked;a=b\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: gzip;a=\"b, chunked\"\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: gzip chunked\r\n"), 400, "chunked_not_last"},
        {"RFC 9112 6.1", SLICE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, "coding_in_1_0"},
        {"RFC 9112 6.3", POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400, "length_and_coding"},
        {"RFC 9112 6.3", POST("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), 400, "length_and_coding"},
        {"RFC 9112 6.3", POST("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n"), 400, "length_and_coding"},
        {"RFC 9112 5.1", POST("Transfer-Encoding : chunked\r\n"), 400, "space_before_colon"},
        {"RFC 9112 5.2", POST("Transfer-Encoding:\r\n chunked\r\n"), 400, "obs_fold"},
        {"RFC 9110 5.5",
         POST("Transfer-Encoding: \x0b"
              "chunked\r\n"),
         400, "field_value"},
    };
    CHECK_HEAD_ROWS(rows);
    struct http_request r = request_of(POST("Transfer-Encoding: chunked\r\n"));
    assert_true(r.chunked);
    assert_false(r.has_length);
}

static void test_connection_lists_decide_about_persistence(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        bool keep_alive;
    } rows[] = {
        /* RFC 9112 section 9.3 */
        {GET_HOST(""), true},
        {GET_HOST("Connection: close\r\n"), false},
        {GET_HOST("Connection: CLOSE\r\n"), false},
        {GET_HOST("Connection: keep-alive, close\r\n"), false},
        {GET_HOST("Connection: close, keep-alive\r\n"), false},
        {GET_HOST("Connection: keep-alive\r\nConnection: upgrade,\tclose \r\n"), false},
        {GET_HOST("Connection: Upgrade, HTTP2-Settings\r\n"), true},
        {GET_HOST("Connection: closed\r\n"), true},
        {GET_HOST("Connection: not-close\r\n"), true},
        {GET_HOST("Connection: ,,\r\n"), true},
        {GET_HOST("Connection:\r\n"), true},
        {GET_HOST("X-Connection: close\r\n"), true},
        {GET_1_0(""), false},
        {GET_1_0("Connection: Keep-Alive\r\n"), true},
        {GET_1_0("Connection: foo ,keep-alive\r\n"), true},
        {GET_1_0("Connection: keep-alive, close\r\n"), false},
        {GET_1_0("Connection: close\r\nConnection: keep-alive\r\n"), false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (request_of(rows[i].text).keep_alive != rows[i].keep_alive)
            fail_msg("%.*s", (int)rows[i].text.bytes, rows[i].text.at);
    }
}

static void test_expect_is_100_continue_or_417(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9110 10.1.1", POST("Content-Length: 5\r\nExpect: 100-continue\r\n"), 0, NULL},
        {"RFC 9110 10.1.1", POST("Content-Length: 5\r\nExpect: 101-continue\r\n"), 417, "expectation"},
        {"RFC 9110 10.1.1", POST("Content-Length: 5\r\nExpect: 100-continue, x\r\n"), 417, "expectation"},
        {"RFC 9110 10.1.1", POST("Content-Length: 5\r\nExpect: 100-continue\r\nExpect: x=y\r\n"), 417, "expectation"},
        {"RFC 9110 10.1.1", POST("Content-Length: 70000\r\nExpect: 100-continue\r\n"), 413, "body_bytes"},
    };
    CHECK_HEAD_ROWS(rows);
    assert_true(request_of(POST("Content-Length: 5\r\nExpect: 100-Continue\r\n")).expect_continue);
    assert_true(request_of(POST("Transfer-Encoding: chunked\r\nexpect:100-continue\r\n")).expect_continue);
    assert_false(request_of(POST("Content-Length: 0\r\nExpect: 100-continue\r\n")).expect_continue);
    assert_false(request_of(POST("Expect: 100-continue\r\n")).expect_continue);
    assert_false(request_of(GET_1_0("Content-Length: 5\r\nExpect: 100-continue\r\n")).expect_continue);
}

static void test_first_of_several_values_is_kept(void **state)
{
    (void)state;
    struct http_request r = request_of(GET_HOST("Origin:\r\nOrigin: b\r\nDNT: 1\r\nDNT: 0\r\n"));

    assert_non_null(r.field[HTTP_FIELD_ORIGIN].at);
    assert_int_equal(r.field[HTTP_FIELD_ORIGIN].bytes, 0);
    assert_true(slice_equals(r.field[HTTP_FIELD_DNT], SLICE("1")));
}

static void test_a_list_is_one_over_all_its_lines(void **state)
{
    (void)state;
    struct http_request r =
        request_of(GET_HOST("X-Forwarded-For: a ,,b\r\nX-Forwarded-Fox: no, no\r\nOrigin: o\r\nx-FORWARDED-for:\r\n"
                            "X-Forwarded-For:\t, \r\nX-Forwarded-For: c,\td, \r\nX: no\r\n"));
    struct list list = {r.field[HTTP_FIELD_X_FORWARDED_FOR], HTTP_FIELD_X_FORWARDED_FOR};
    struct slice element;

    for (const char *want = "dcba"; *want != '\0'; want++) {
        assert_true(list_last_take(&list, &element));
        assert_true(element.bytes == 1 && *element.at == *want);
    }
    assert_false(list_last_take(&list, &element));
    assert_true(slice_equals(r.field[HTTP_FIELD_ORIGIN], SLICE("o")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_names_are_found_in_any_case_and_others_are_not),
        cmocka_unit_test(test_host_is_there_once_and_valid),
        cmocka_unit_test(test_content_length_is_digits_and_there_once),
        cmocka_unit_test(test_transfer_encoding_is_chunked_and_nothing_else),
        cmocka_unit_test(test_connection_lists_decide_about_persistence),
        cmocka_unit_test(test_expect_is_100_continue_or_417),
        cmocka_unit_test(test_first_of_several_values_is_kept),
        cmocka_unit_test(test_a_list_is_one_over_all_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
