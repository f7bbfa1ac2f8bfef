#include "http/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

static const struct http_request get_1_1 = {.method = HTTP_GET, .minor_version = 1, .keep_alive = true};
static const struct http_request get_close = {.method = HTTP_GET, .minor_version = 1};
static const struct http_request get_1_0 = {.method = HTTP_GET};
static const struct http_request get_1_0_kept = {.method = HTTP_GET, .keep_alive = true};
static const struct http_request head = {.method = HTTP_HEAD, .minor_version = 1, .keep_alive = true};

static void assert_written(const struct http_request *r, const struct http_response *response, const char *wanted)
{
    struct buf out = {0};

    buf_append(&out, "before", 6);
    http_response_write(&out, r, response, date);
    buf_append(&out, "", 1);
    assert_false(out.failed);
    assert_memory_equal(out.data, "before", 6);
    assert_string_equal(out.data + 6, wanted);
    buf_fini(&out);
}

#define SAFE                                                                                                           \
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                                              \
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"

static const struct http_response ok = {
    .status = 200,
    .content_type = "text/plain",
    .body = SLICE("hello"),
    .extra = SLICE("Cache-Control: no-store\r\nX-A: b\r\n"),
};

static void test_answer_has_status_date_type_length_extra_lines_and_body(void **state)
{
    (void)state;
    assert_written(&get_1_1, &ok,
                   "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n" SAFE
                   "Content-Length: 5\r\nCache-Control: no-store\r\nX-A: b\r\n\r\nhello");
}

static void test_head_gets_the_length_without_the_body(void **state)
{
    (void)state;
    assert_written(&head, &ok,
                   "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n" SAFE
                   "Content-Length: 5\r\nCache-Control: no-store\r\nX-A: b\r\n\r\n");
}

static void test_no_content_and_not_modified_have_neither_length_nor_body(void **state)
{
    (void)state;
    struct http_response r = {.status = 204};
    assert_written(&get_1_1, &r, "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    r = (struct http_response){.status = 304, .body = SLICE("not sent")};
    assert_written(&get_1_1, &r, "HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
}

static void test_empty_body_has_length_zero(void **state)
{
    (void)state;
    struct http_response r = {.status = 404};
    assert_written(&get_1_1, &r,
                   "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n");
}

static void test_connection_line_says_what_happens_to_the_connection(void **state)
{
    (void)state;
    static const char closing[] = "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                  "Connection: close\r\n\r\n";
    struct http_response r = {.status = 204};

    assert_written(NULL, &r, closing);
    assert_written(&get_close, &r, closing);
    assert_written(&get_1_0, &r, closing);
    assert_written(&get_1_0_kept, &r,
                   "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Connection: keep-alive\r\n\r\n");
    r.close = true;
    assert_written(&get_1_1, &r, closing);
    assert_written(&get_1_0_kept, &r, closing);
}

static void test_every_status_that_is_sent_has_its_phrase(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *phrase;
    } rows[] = {
        /* RFC 9110 section 15; 429 and 431: RFC 6585 */
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {299, "Status"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(http_status_phrase(rows[i].status), rows[i].phrase);
}

static void test_full_buffer_fails_once_and_is_said_at_the_end(void **state)
{
    (void)state;
    struct buf out = {.bytes_max = 60};

    http_response_write(&out, &get_1_1, &ok, date);
    assert_true(out.failed);
    assert_true(out.bytes <= 60);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_has_status_date_type_length_extra_lines_and_body),
        cmocka_unit_test(test_head_gets_the_length_without_the_body),
        cmocka_unit_test(test_no_content_and_not_modified_have_neither_length_nor_body),
        cmocka_unit_test(test_empty_body_has_length_zero),
        cmocka_unit_test(test_connection_line_says_what_happens_to_the_connection),
        cmocka_unit_test(test_every_status_that_is_sent_has_its_phrase),
        cmocka_unit_test(test_full_buffer_fails_once_and_is_said_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
