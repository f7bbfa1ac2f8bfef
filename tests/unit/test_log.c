#include "base/log.h"

#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error goes into a pipe while one line is logged; the pipe holds more than a line. */
static char line[4 * LOG_LINE_BYTES_MAX];

static int stderr_divert(int *reader)
{
    int pipe_fds[2];
    int saved = dup(STDERR_FILENO);

    assert_int_equal(pipe(pipe_fds), 0);
    assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
    close(pipe_fds[1]);
    *reader = pipe_fds[0];
    return saved;
}

static void stderr_restore(int saved, int reader)
{
    dup2(saved, STDERR_FILENO); /* closes the last writer */
    close(saved);
    ssize_t bytes = read(reader, line, sizeof(line) - 1);
    close(reader);
    assert_true(bytes >= 0);
    line[bytes] = '\0';
}

#define LOGGED(...)                                                                                                    \
    do {                                                                                                               \
        int reader, saved = stderr_divert(&reader);                                                                    \
        __VA_ARGS__;                                                                                                   \
        stderr_restore(saved, reader);                                                                                 \
    } while (0)

static void assert_matches(const char *pattern)
{
    regex_t regex;

    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, line, 0, NULL, 0) != 0)
        fail_msg("'%s' does not match '%s'", line, pattern);
    regfree(&regex);
}

static void assert_ends(const char *end)
{
    size_t bytes = strlen(line), end_bytes = strlen(end);

    assert_true(bytes >= end_bytes);
    assert_string_equal(line + bytes - end_bytes, end);
}

static void test_logfmt_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    LOGGED(LOG_WARN("link_lost", log_str("host", "redis:6379"), log_num("try", -3), log_err(-ECONNREFUSED)));
    assert_matches("^ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z level=warn event=link_lost "
                   "host=redis:6379 try=-3 err=ECONNREFUSED\n$");
}

static void test_a_json_line_has_the_fields_of_a_logfmt_line(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    LOGGED(LOG_ERROR("link_lost", log_str("host", "redis:6379"), log_num("try", INT64_MIN), log_err(-EPIPE)));
    assert_matches("^\\{\"ts\":\"[0-9T:-]{19}\\.[0-9]{3}Z\",\"level\":\"error\",\"event\":\"link_lost\","
                   "\"host\":\"redis:6379\",\"try\":-9223372036854775808,\"err\":\"EPIPE\"\\}\n$");
}

static void test_event_without_fields_is_a_line(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    LOGGED(LOG_INFO("started"));
    assert_ends("level=info event=started\n");
}

static void test_levels_below_the_configured_one_are_silent(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    LOGGED(LOG_INFO("noise"); LOG_DEBUG("noise"));
    assert_string_equal(line, "");
    assert_true(log_enabled(LOG_LEVEL_ERROR));
    assert_true(log_enabled(LOG_LEVEL_WARN));
    assert_false(log_enabled(LOG_LEVEL_INFO));
}

static void test_logfmt_quotes_only_what_needs_it_and_escapes(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    LOGGED(LOG_INFO("e", log_str("a", "plain/ok:1"), log_str("b", ""), log_bytes("c", NULL, 0), log_str("d", "x=y"),
                    log_str("e", "\" \\ \n\r\x01\x7f"), log_str("f", "caf\xc3\xa9 \xff \xc2\x9b")));
    assert_ends(" event=e a=plain/ok:1 b=\"\" c=\"\" d=\"x=y\" e=\"\\\" \\\\ \\n\\x0d\\x01\\x7f\" "
                "f=\"caf\xc3\xa9 \\xff \\xc2\\x9b\"\n");
}

static void test_json_escapes_are_those_of_json(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    LOGGED(LOG_INFO("e", log_bytes("a", "\" \\ \n\r\0\x7f", 8), log_str("f", "caf\xc3\xa9 \xff")));
    assert_ends(",\"a\":\"\\\" \\\\ \\n\\u000d\\u0000\\u007f\",\"f\":\"caf\xc3\xa9 \\ufffd\"}\n");
}

static void test_unknown_errno_is_a_number(void **state)
{
    (void)state;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    LOGGED(LOG_INFO("e", log_err(-99999)));
    assert_ends(" err=-99999\n");
}

/* Every amount of text before the limit, with characters that escape to different lengths at the cut. */
static void test_too_long_line_is_cut_between_escapes_and_says_so(void **state)
{
    (void)state;
    char text[LOG_LINE_BYTES_MAX + 1];

    log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    for (size_t bytes = LOG_LINE_BYTES_MAX - 200; bytes < LOG_LINE_BYTES_MAX; bytes++) {
        memset(text, 'x', bytes);
        text[bytes] = '\0';
        LOGGED(LOG_INFO("e", log_str("long", text), log_bytes("odd", "\x01\xc3\xa9\x02", 4), log_num("n", 1234567)));
        assert_true(strlen(line) <= LOG_LINE_BYTES_MAX);
        if (strstr(line, "truncated"))
            assert_matches(
                "\"long\":\"x+\"(,\"odd\":\"(\\\\u0001)?(\xc3\xa9)?(\\\\u0002)?\")?,\"truncated\":true\\}\n$");
        else
            assert_matches("\"long\":\"x+\",\"odd\":\"\\\\u0001\xc3\xa9\\\\u0002\",\"n\":1234567\\}\n$");
    }
    assert_non_null(strstr(line, "truncated"));
}

static void test_closed_standard_error_is_survived(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);

    log_init(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    close(STDERR_FILENO);
    LOG_INFO("nobody_hears");
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt_line_has_time_level_event_and_fields),
        cmocka_unit_test(test_a_json_line_has_the_fields_of_a_logfmt_line),
        cmocka_unit_test(test_event_without_fields_is_a_line),
        cmocka_unit_test(test_levels_below_the_configured_one_are_silent),
        cmocka_unit_test(test_logfmt_quotes_only_what_needs_it_and_escapes),
        cmocka_unit_test(test_json_escapes_are_those_of_json),
        cmocka_unit_test(test_unknown_errno_is_a_number),
        cmocka_unit_test(test_too_long_line_is_cut_between_escapes_and_says_so),
        cmocka_unit_test(test_closed_standard_error_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
