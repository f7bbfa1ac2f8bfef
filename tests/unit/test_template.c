#include "http/response.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char today[] = "Sun, 06 Nov 1994 08:49:37 GMT";
static const char tomorrow[] = "Mon, 07 Nov 1994 08:49:37 GMT";

/* A template says, for every kind of request, byte for byte what http_response_write() would. */
static void assert_same_as_written(const struct http_response *response)
{
    struct http_template *t;
    assert_int_equal(http_template_create(&t, response), 0);

    for (int round = 0; round < 2; round++) {
        const char *date = round == 0 ? today : tomorrow;
        http_template_date(t, date);
        for (unsigned bits = 0; bits < 16; bits++) {
            bool close = bits & 8;
            struct http_request r = {
                .method = bits & 1 ? HTTP_HEAD : HTTP_GET, .minor_version = bits >> 1 & 1, .keep_alive = bits & 4};
            struct http_response written = *response;
            struct buf wanted = {0};
            written.close |= close;
            http_response_write(&wanted, &r, &written, date);
            struct buf appended = {0};
            http_template_append(t, &r, close, &appended);
            assert_true(slice_equals(buf_slice(&appended), buf_slice(&wanted)));
            buf_fini(&appended);
            buf_fini(&wanted);
        }
    }
    http_template_destroy(t);
}

static void test_template_answers_as_the_writer_would(void **state)
{
    (void)state;
    static const struct http_response responses[] = {
        {.status = 204, .extra = SLICE("Cache-Control: no-store\r\nX-Hit-Status: counted\r\n")},
        {.status = 200, .content_type = "image/gif", .body = SLICE("GIF89a\0\r\n\r\nDate: \r\n\r\n")},
        {.status = 404, .content_type = "text/plain"},
        {.status = 200, .body = SLICE("x"), .extra = SLICE("Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n")},
        {.status = 503, .close = true, .body = SLICE("busy")},
    };

    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++)
        assert_same_as_written(&responses[i]);
}

static void test_without_a_request_the_connection_closes(void **state)
{
    (void)state;
    struct http_template *t;
    struct http_request closing = {.method = HTTP_GET, .minor_version = 1};

    assert_int_equal(http_template_create(&t, &(struct http_response){.status = 400, .body = SLICE("bad")}), 0);
    struct buf none = {0}, some = {0};
    http_template_append(t, NULL, false, &none);
    http_template_append(t, &closing, false, &some);
    assert_true(slice_equals(buf_slice(&none), buf_slice(&some)));
    assert_non_null(memmem(none.data, none.bytes, "Connection: close\r\n", 19));
    buf_fini(&none);
    buf_fini(&some);
    http_template_destroy(t);
}

static void test_answer_that_does_not_fit_in_memory_makes_no_template(void **state)
{
    (void)state;
    struct http_template *t = NULL;
    struct http_response huge = {.status = 200, .body = {"", SIZE_MAX / 2}};

    assert_int_equal(http_template_create(&t, &huge), -ENOMEM);
    assert_null(t);
}

static void test_destroying_null_is_allowed(void **state)
{
    (void)state;
    http_template_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_template_answers_as_the_writer_would),
        cmocka_unit_test(test_without_a_request_the_connection_closes),
        cmocka_unit_test(test_answer_that_does_not_fit_in_memory_makes_no_template),
        cmocka_unit_test(test_destroying_null_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
