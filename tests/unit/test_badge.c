#include "api/badge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static char *badge_text(struct slice label, struct slice value)
{
    struct buf out = {0};
    badge_append(&out, &(struct badge){label, value, SLICE("c2410c"), SLICE("navy")});
    buf_append(&out, "", 1);
    assert_false(out.failed);
    return out.data;
}

static unsigned width_of(struct slice label, struct slice value)
{
    char *text = badge_text(label, value);
    unsigned width = (unsigned)strtoul(strstr(text, "width=\"") + strlen("width=\""), NULL, 10);
    free(text);
    return width;
}

static void test_what_is_xml_in_a_label_is_escaped(void **state)
{
    (void)state;
    char *text = badge_text(SLICE("</text><script>\"&'"), SLICE("1"));
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, ">&#60;/text&#62;&#60;script&#62;&#34;&#38;&#39;</text>"));
    free(text);
}

static void test_bytes_that_xml_has_no_place_for_are_replaced(void **state)
{
    (void)state;
    static const struct slice bad[] = {SLICE("\xff"), SLICE("\x01"), SLICE("\n"), SLICE("\xef\xbf\xbe"), SLICE("\xc3")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = badge_text(bad[i], SLICE("1"));
        assert_non_null(strstr(text, ">\xef\xbf\xbd</text>"));
        free(text);
    }
    char *kept = badge_text(SLICE("h\xc3\xb6he \xe2\x82\xac"), SLICE("1"));
    assert_non_null(strstr(kept, ">h\xc3\xb6he \xe2\x82\xac</text>"));
    free(kept);
}

static void test_colours_are_hex_or_a_name_and_nothing_else(void **state)
{
    (void)state;
    assert_true(badge_color_valid(SLICE("abc")) && badge_color_valid(SLICE("C2410c")) &&
                badge_color_valid(SLICE("red")));
    static const struct slice bad[] = {SLICE(""),      SLICE("#fff"),   SLICE("12345"),
                                       SLICE("red\""), SLICE("url(x)"), SLICE("abcdefghijklmnopqrstu")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(badge_color_valid(bad[i]));
    char *text = badge_text(SLICE("a"), SLICE("1"));
    assert_non_null(strstr(text, "fill=\"#c2410c\""));
    assert_non_null(strstr(text, "fill=\"navy\""));
    free(text);
}

static void test_the_width_grows_with_the_text(void **state)
{
    (void)state;
    assert_int_equal(width_of(SLICE(""), SLICE("")), 24);
    assert_int_equal(width_of(SLICE("aa"), SLICE("1")), 24 + 3 * 7);
    assert_true(width_of(SLICE("WWW"), SLICE("1")) > width_of(SLICE("iii"), SLICE("1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_xml_in_a_label_is_escaped),
        cmocka_unit_test(test_bytes_that_xml_has_no_place_for_are_replaced),
        cmocka_unit_test(test_colours_are_hex_or_a_name_and_nothing_else),
        cmocka_unit_test(test_the_width_grows_with_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
