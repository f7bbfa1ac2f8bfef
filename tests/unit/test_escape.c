#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_escapes(void (*escape)(struct buf *, struct slice), const char *text, const char *expected)
{
    struct buf b = {0};
    escape(&b, (struct slice){text, strlen(text)});
    buf_append(&b, "", 1);
    assert_string_equal(b.data, expected);
    buf_fini(&b);
}

static void test_a_label_can_neither_end_itself_nor_its_line(void **state)
{
    (void)state;
    assert_escapes(escape_label, "redis-0.example:6379", "redis-0.example:6379");
    assert_escapes(escape_label, "a\"} 1\nforged{x=\"", "a\\\"} 1\\nforged{x=\\\"");
    assert_escapes(escape_label, "back\\slash\\", "back\\\\slash\\\\");
    assert_escapes(escape_label, "no\xffutf8\r\x01", "no\xef\xbf\xbdutf8\xef\xbf\xbd\xef\xbf\xbd");
    assert_escapes(escape_label, "caf\xc3\xa9", "caf\xc3\xa9");
}

static void test_a_text_of_xml_opens_no_element_and_ends_no_attribute(void **state)
{
    (void)state;
    assert_escapes(escape_xml, "<script>&'\"", "&#60;script&#62;&#38;&#39;&#34;");
    assert_escapes(escape_xml, "\x1f\xc0\xaf\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_label_can_neither_end_itself_nor_its_line),
        cmocka_unit_test(test_a_text_of_xml_opens_no_element_and_ends_no_attribute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
