#include "admin/admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/response.h"
#include "support/fake_sources.h"

/* The whole answer to a request; free() it. */
static char *ask_as(struct fake *fake, enum http_method method, const char *path, const char *accept)
{
    struct handler handler = admin_handler(&fake->sources);
    struct buf out = {0};
    struct reply reply = {.out = &out, .date = "Sun, 06 Nov 1994 08:49:37 GMT"};
    struct http_request request = {.method = method, .minor_version = 1, .keep_alive = true};
    request.path = (struct slice){path, strlen(path)};
    if (accept)
        request.field[HTTP_FIELD_ACCEPT] = (struct slice){accept, strlen(accept)};
    assert_false(handler.wants_body(handler.ctx, &request));
    assert_int_equal(handler.handle(handler.ctx, &request, &reply), HANDLED);
    buf_append(&out, "", 1);
    assert_false(out.failed);
    return out.data;
}

static char *ask(struct fake *fake, enum http_method method, const char *path)
{
    return ask_as(fake, method, path, NULL);
}

static void assert_answer(struct fake *fake, enum http_method method, const char *path, const char *status,
                          const char *part)
{
    char *answer = ask(fake, method, path);
    assert_int_equal(strncmp(answer + strlen("HTTP/1.1 "), status, strlen(status)), 0);
    assert_non_null(strstr(answer, part));
    free(answer);
}

static void test_each_page_answers_with_its_type(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    assert_answer(fake, HTTP_GET, "/livez", "200", "\r\n\r\nok\n");
    assert_answer(fake, HTTP_GET, "/metrics", "200", "Content-Type: text/plain; version=0.0.4");
    assert_answer(fake, HTTP_GET, "/metrics", "200", "\ntallyd_hits_accepted_total 0\n");
    assert_answer(fake, HTTP_GET, "/statusz", "200", "Content-Type: application/json");
    assert_answer(fake, HTTP_GET, "/configz", "200", "\"flush-interval\"");
    fake_stop(fake);
}

static void test_open_metrics_come_to_those_who_prefer_them(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool open;
    } rows[] = {
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/"
         "*;q=0.1",
         true},
        {"application/openmetrics-text; version=1.0.0", true},
        {"Application/OpenMetrics-Text ;q=1, text/plain", true},
        {"text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1", false},
        {"application/openmetrics-text;q=0", false},
        {"text/html,*/*", false},
        {"", false},
    };
    struct fake *fake = fake_start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *answer = ask_as(fake, HTTP_GET, "/metrics", rows[i].accept);
        const char *type = rows[i].open
                               ? "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
                               : "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n";
        assert_non_null(strstr(answer, type));
        assert_true(!strstr(answer, "# EOF") == !rows[i].open);
        free(answer);
    }
    fake_stop(fake);
}

static void test_readiness_follows_the_life_of_the_process(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    life_set(&fake->sources, LIFE_STARTING);
    assert_answer(fake, HTTP_GET, "/readyz", "503", "starting");
    life_set(&fake->sources, LIFE_READY);
    assert_answer(fake, HTTP_GET, "/readyz", "200", "ready");
    life_set(&fake->sources, LIFE_DRAINING);
    assert_answer(fake, HTTP_GET, "/readyz", "503", "draining");
    assert_answer(fake, HTTP_GET, "/livez", "200", "ok"); /* or it would be killed while it drains */
    fake_stop(fake);
}

static void test_head_has_no_body_and_other_methods_are_refused(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    char *answer = ask(fake, HTTP_HEAD, "/livez");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
    assert_answer(fake, HTTP_POST, "/metrics", "405", "Allow: GET, HEAD\r\n");
    assert_answer(fake, HTTP_DELETE, "/livez", "405", "Allow: GET, HEAD\r\n");
    fake_stop(fake);
}

static void test_unknown_admin_paths_are_404_and_name_the_pages(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    static const char *const paths[] = {"/", "/livez/", "/metricsx", "/v1/hit/a/b", "*", ""};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_answer(fake, HTTP_GET, paths[i], "404", "/metrics");
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_page_answers_with_its_type),
        cmocka_unit_test(test_open_metrics_come_to_those_who_prefer_them),
        cmocka_unit_test(test_readiness_follows_the_life_of_the_process),
        cmocka_unit_test(test_head_has_no_body_and_other_methods_are_refused),
        cmocka_unit_test(test_unknown_admin_paths_are_404_and_name_the_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
