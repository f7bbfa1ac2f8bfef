#include "http/parser.h"

#include "support/http_feed.h"

static const struct http_request chunked_request = {.minor_version = 1, .chunked = true};

static const struct http_limits small_limits = {
    .line_bytes_max = 100,
    .head_bytes_max = 100,
    .fields_max = 3,
    .body_bytes_max = 20,
    .chunk_ext_bytes_max = 10,
};

struct body_row {
    const char *rule;
    struct slice text;
    const char *body; /* NULL: refused */
    int status;
    const char *reason;
};

static void check_rows(const struct body_row *rows, size_t count, const struct http_limits *limits)
{
    for (size_t i = 0; i < count; i++) {
        /* What follows belongs to the next request, whatever it is. */
        char text[256];
        memcpy(text, rows[i].text.at, rows[i].text.bytes);
        memcpy(text + rows[i].text.bytes, "\r\n0;x", 5);
        struct slice followed = {text, rows[i].text.bytes + 5};
        struct body_outcome o = feed_body_cut(followed, limits, &chunked_request);
        bool as_wanted;
        if (rows[i].body != NULL)
            as_wanted = o.result == HTTP_DONE && o.taken == rows[i].text.bytes &&
                        o.decoded.bytes == strlen(rows[i].body) &&
                        (o.decoded.bytes == 0 || memcmp(o.decoded.data, rows[i].body, o.decoded.bytes) == 0);
        else
            as_wanted = o.result == HTTP_BAD && o.status == rows[i].status && same_text(o.reason, rows[i].reason);
        if (!as_wanted)
            fail_msg("%s: \"%.*s\" gave %d: %d %s, %zu taken, \"%.*s\"", rows[i].rule, (int)rows[i].text.bytes,
                     rows[i].text.at, o.result, o.status, o.reason != NULL ? o.reason : "", o.taken,
                     (int)o.decoded.bytes, o.decoded.data);
        buf_fini(&o.decoded);
    }
}

#define CHECK_ROWS(rows, limits) check_rows((rows), sizeof(rows) / sizeof((rows)[0]), (limits))

static void test_chunks_are_put_together(void **state)
{
    (void)state;
    static const struct body_row rows[] = {
        {"RFC 9112 7.1", SLICE("0\r\n\r\n"), "", 0, NULL},
        {"RFC 9112 7.1", SLICE("5\r\nhello\r\n0\r\n\r\n"), "hello", 0, NULL},
        {"RFC 9112 7.1", SLICE("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"), "abcdef", 0, NULL},
        {"RFC 9112 7.1", SLICE("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 0, NULL},
        {"RFC 9112 7.1", SLICE("A\r\n0\r\n\r\n56789\r\n00\r\n\r\n"), "0\r\n\r\n56789", 0, NULL},
        {"RFC 9112 7.1", SLICE("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"), "hello", 0, NULL},
        {"RFC 9112 7.1", SLICE("1F\r\n0123456789012345678901234567890\r\n0\r\n\r\n"), "0123456789012345678901234567890",
         0, NULL},
    };
    CHECK_ROWS(rows, &http_limits_default);
}

static void test_chunk_sizes_are_strict_hexadecimal(void **state)
{
    (void)state;
    static const struct body_row rows[] = {
        {"RFC 9112 7.1", SLICE("\r\n"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("g\r\n"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("5g\r\n"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("0x5\r\nhello\r\n0\r\n\r\n"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("+5\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("-5\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE(" 5\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("5 \r\nhello"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1", SLICE("5 5\r\nhello"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1", SLICE("5,5\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1", SLICE("5\0\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1 overflow", SLICE("00000000000000005\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1 overflow", SLICE("10000000000000005\r\nhello"), NULL, 400, "chunk_size"},
        {"RFC 9112 7.1 overflow", SLICE("ffffffffffffffff\r\n"), NULL, 413, "body_bytes"},
        {"RFC 9110 15.5.14", SLICE("10001\r\n"), NULL, 413, "body_bytes"},
    };
    CHECK_ROWS(rows, &http_limits_default);
}

static void test_chunk_lines_and_data_end_in_crlf_exactly(void **state)
{
    (void)state;
    static const struct body_row rows[] = {
        {"RFC 9112 7.1", SLICE("5\nhello\r\n0\r\n\r\n"), NULL, 400, "bare_lf"},
        {"RFC 9112 7.1", SLICE("5\rhello\r\n0\r\n\r\n"), NULL, 400, "bare_cr"},
        {"RFC 9112 7.1", SLICE("5\r\r\nhello"), NULL, 400, "bare_cr"},
        {"RFC 9112 7.1", SLICE("5\r\nhello\n0\r\n\r\n"), NULL, 400, "bare_lf"},
        {"RFC 9112 7.1", SLICE("5\r\nhello\r0\r\n\r\n"), NULL, 400, "chunk_end"},
        {"RFC 9112 7.1", SLICE("5\r\nhello0\r\n\r\n"), NULL, 400, "chunk_end"},
        {"RFC 9112 7.1", SLICE("5\r\nhello!\r\n0\r\n\r\n"), NULL, 400, "chunk_end"},
        {"RFC 9112 7.1", SLICE("5\r\nhell\r\n0\r\n\r\n"), NULL, 400, "bare_lf"},
        {"RFC 9112 7.1", SLICE("5\r\nhel\r\n0\r\n\r\n"), NULL, 400, "chunk_end"},
        {"RFC 9112 7.1", SLICE("0\r\n\n"), NULL, 400, "bare_lf"},
        {"RFC 9112 7.1", SLICE("0\r\n\rX"), NULL, 400, "bare_cr"},
        {"RFC 9112 7.1", SLICE("0\n\n"), NULL, 400, "bare_lf"},
    };
    CHECK_ROWS(rows, &http_limits_default);
}

static void test_chunk_extensions_are_checked_and_dropped(void **state)
{
    (void)state;
#define EXT(ext) SLICE("1" ext "\r\na\r\n0" ext "\r\n\r\n")
    static const struct body_row rows[] = {
        {"RFC 9112 7.1.1", EXT(";a"), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";a=b"), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";a=b;c;d=e"), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(" ; a = b ;\tc ; d"), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";a=\"\""), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";a=\"b;c=d \t,\x80\""), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";a=\"b\\\"\\\\\\c\""), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";a=\"b\" ;c"), "a", 0, NULL},
        {"RFC 9112 7.1.1", EXT(";"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";;a"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a="), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=;b"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";=b"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a b"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=b c"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=b=c"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=b\"c\""), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=\"b\"c"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=\"b"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=\"b\\"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=(b)"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=\"\x01\""), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a=\"\\\x7f\""), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1", EXT(";a\x80"), NULL, 400, "chunk_ext"},
        {"RFC 9112 7.1.1 smuggling", EXT(";a\n"), NULL, 400, "bare_lf"},
        {"RFC 9112 7.1.1 smuggling", EXT(";a=\"\n\""), NULL, 400, "bare_lf"},
        {"RFC 9112 7.1.1", EXT("; a "), NULL, 400, "chunk_ext"},
    };
#undef EXT
    CHECK_ROWS(rows, &http_limits_default);
}

static void test_trailers_are_as_strict_as_fields_and_dropped(void **state)
{
    (void)state;
#define TRAILERS(lines) SLICE("1\r\na\r\n0\r\n" lines "\r\n")
    static const struct body_row rows[] = {
        {"RFC 9112 7.1.2", TRAILERS("A: b\r\n"), "a", 0, NULL},
        {"RFC 9112 7.1.2", TRAILERS("A:\r\nB: \"c\" \\ \x80; d=e: f\t\r\n"), "a", 0, NULL},
        {"RFC 9112 7.1.2", TRAILERS("Content-Length: 5\r\nHost: b\r\n"), "a", 0, NULL},
        {"RFC 9112 5.1", TRAILERS("A : b\r\n"), NULL, 400, "trailer"},
        {"RFC 9112 5.2", TRAILERS("A: b\r\n c\r\n"), NULL, 400, "trailer"},
        {"RFC 9110 5.1", TRAILERS(": b\r\n"), NULL, 400, "trailer"},
        {"RFC 9110 5.1", TRAILERS("A\r\n"), NULL, 400, "trailer"},
        {"RFC 9110 5.1", TRAILERS("A(: b\r\n"), NULL, 400, "trailer"},
        {"RFC 9110 5.5", TRAILERS("A: \0\r\n"), NULL, 400, "trailer"},
        {"RFC 9110 5.5", TRAILERS("A: \x7f\r\n"), NULL, 400, "trailer"},
        {"RFC 9112 2.2", TRAILERS("A: b\n"), NULL, 400, "bare_lf"},
        {"RFC 9112 2.2", TRAILERS("A: b\rC: d\r\n"), NULL, 400, "bare_cr"},
    };
#undef TRAILERS
    CHECK_ROWS(rows, &http_limits_default);
}

static void test_decoded_bytes_over_the_limit_are_413(void **state)
{
    (void)state;
    static const struct body_row rows[] = {
        {"limit", SLICE("14\r\n01234567890123456789\r\n0\r\n\r\n"), "01234567890123456789", 0, NULL},
        {"limit", SLICE("a\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "01234567890123456789", 0, NULL},
        {"limit", SLICE("15\r\n"), NULL, 413, "body_bytes"},
        {"limit", SLICE("a\r\n0123456789\r\nb\r\n"), NULL, 413, "body_bytes"},
        {"limit", SLICE("14\r\n01234567890123456789\r\n1\r\n"), NULL, 413, "body_bytes"},
        {"limit", SLICE("1\r\n0\r\nffffffffffffffff\r\n"), NULL, 413, "body_bytes"},
    };
    CHECK_ROWS(rows, &small_limits);
}

static void test_extensions_and_trailers_share_one_bound(void **state)
{
    (void)state;
    static const struct body_row rows[] = {
        {"bound", SLICE("1;23456789a\r\nb\r\n0\r\n\r\n"), "b", 0, NULL},
        {"bound", SLICE("1;23456789ab\r\n"), NULL, 400, "chunk_overhead"},
        {"bound", SLICE("1;abcd\r\na\r\n1;abcd\r\nb\r\n0\r\n\r\n"), "ab", 0, NULL},
        {"bound", SLICE("1;abcd\r\na\r\n1;abcd\r\nb\r\n0;a"), NULL, 400, "chunk_overhead"},
        {"bound", SLICE("1;\"                 "), NULL, 400, "chunk_ext"},
        {"bound", SLICE("1;a=\"         "), NULL, 400, "chunk_overhead"},
        {"bound", SLICE("0\r\nA: bcdefg\r\n\r\n"), "", 0, NULL},
        {"bound", SLICE("0\r\nA: bcdefgh\r\n"), NULL, 400, "chunk_overhead"},
        {"bound", SLICE("0\r\nAAAAAAAAAAA"), NULL, 400, "chunk_overhead"},
        {"bound", SLICE("0\r\nA:\r\nB:\r\nC:\r\nDD"), NULL, 400, "chunk_overhead"},
    };
    CHECK_ROWS(rows, &small_limits);
}

static void test_body_of_a_length_ends_there(void **state)
{
    (void)state;
    struct slice text = SLICE("hello\r\nGET / HTTP/1.1\r\n");
    struct http_request r = {.has_length = true, .content_length = 5};
    struct body_outcome o = feed_body_cut(text, &http_limits_default, &r);

    assert_int_equal(o.result, HTTP_DONE);
    assert_int_equal(o.taken, 5);
    assert_int_equal(o.decoded.bytes, 5);
    assert_memory_equal(o.decoded.data, "hello", 5);
    buf_fini(&o.decoded);

    r.content_length = 100;
    o = feed_body_cut(text, &http_limits_default, &r);
    assert_int_equal(o.result, HTTP_MORE);
    assert_int_equal(o.taken, text.bytes);
    assert_int_equal(o.decoded.bytes, text.bytes);
    buf_fini(&o.decoded);
}

static void test_without_a_body_nothing_is_taken(void **state)
{
    (void)state;
    static const struct http_request requests[] = {{0}, {.has_length = true, .content_length = 0}};

    for (size_t i = 0; i < 2; i++) {
        struct body_outcome o = feed_body_cut(SLICE("GET / HTTP/1.1\r\n"), &http_limits_default, &requests[i]);
        assert_int_equal(o.result, HTTP_DONE);
        assert_int_equal(o.taken, 0);
        assert_int_equal(o.decoded.bytes, 0);
        buf_fini(&o.decoded);
    }
}

static void test_last_run_comes_together_with_the_end(void **state)
{
    (void)state;
    struct http_body b;
    struct http_request r = {.has_length = true, .content_length = 3};
    struct slice in = SLICE("abcd"), out;

    http_body_init(&b, &http_limits_default, &r);
    assert_int_equal(http_body_feed(&b, &in, &out), HTTP_DONE);
    assert_true(slice_equals(out, SLICE("abc")));
    assert_true(slice_equals(in, SLICE("d")));
    assert_int_equal(b.decoded, 3);
    assert_int_equal(http_body_feed(&b, &in, &out), HTTP_DONE);
    assert_int_equal(out.bytes, 0);
    assert_int_equal(in.bytes, 1);
}

static void test_bad_stays_bad_and_takes_no_more(void **state)
{
    (void)state;
    struct http_body b;
    struct slice in = SLICE("x"), out;

    http_body_init(&b, &http_limits_default, &chunked_request);
    assert_int_equal(http_body_feed(&b, &in, &out), HTTP_BAD);
    in = SLICE("0\r\n\r\n");
    assert_int_equal(http_body_feed(&b, &in, &out), HTTP_BAD);
    assert_int_equal(in.bytes, 5);
    assert_int_equal(b.status, 400);
    assert_string_equal(b.reason, "chunk_size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks_are_put_together),
        cmocka_unit_test(test_chunk_sizes_are_strict_hexadecimal),
        cmocka_unit_test(test_chunk_lines_and_data_end_in_crlf_exactly),
        cmocka_unit_test(test_chunk_extensions_are_checked_and_dropped),
        cmocka_unit_test(test_trailers_are_as_strict_as_fields_and_dropped),
        cmocka_unit_test(test_decoded_bytes_over_the_limit_are_413),
        cmocka_unit_test(test_extensions_and_trailers_share_one_bound),
        cmocka_unit_test(test_body_of_a_length_ends_there),
        cmocka_unit_test(test_without_a_body_nothing_is_taken),
        cmocka_unit_test(test_last_run_comes_together_with_the_end),
        cmocka_unit_test(test_bad_stays_bad_and_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
