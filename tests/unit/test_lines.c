#include "base/lines.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_a_text_that_ends_within_a_line_is_refused_at_each_cut(void **state)
{
    (void)state;
    static const char whole[] = "one write\n# two\nthree\n";
    for (size_t bytes = 0; bytes < sizeof(whole); bytes++) {
        char cut[sizeof(whole)] = {0};
        struct error err;
        memcpy(cut, whole, bytes);
        bool ends = bytes > 0 && whole[bytes - 1] == '\n';
        assert_int_equal(lines_check(cut, &err), ends || bytes == sizeof(whole) ? 0 : -EINVAL);
    }
}

static void test_what_is_no_text_is_refused_with_its_line_and_nothing_of_it(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\nsecret\xff\n", "a\n\xc3(\n", "a\nsecret\x01\n", "a\n\x7f\n",
                                      "a\n\xed\xa0\x80\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct error err;
        assert_int_equal(lines_check(bad[i], &err), -EINVAL);
        assert_non_null(strstr(err.text, "line 2 "));
        assert_null(strstr(err.text, "secret"));
    }
}

static void test_lines_come_trimmed_and_numbered_without_comments(void **state)
{
    (void)state;
    char text[] = "# first\r\n\r\n  caf\xc3\xa9 \t\r\n\tlast line\n";
    struct lines l = {.rest = text};
    assert_string_equal(lines_next(&l), "caf\xc3\xa9");
    assert_int_equal(l.number, 3);
    assert_string_equal(lines_next(&l), "last line");
    assert_int_equal(l.number, 4);
    assert_null(lines_next(&l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_that_ends_within_a_line_is_refused_at_each_cut),
        cmocka_unit_test(test_what_is_no_text_is_refused_with_its_line_and_nothing_of_it),
        cmocka_unit_test(test_lines_come_trimmed_and_numbered_without_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
