#include "forms/badge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static char *badge_text(struct slice label, struct slice value)
{
    struct buf out = {0};
    badge_append(&out, &(struct badge){label, value, 0xc2410c, 0x000080});
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
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char *text = badge_text(bad[i], SLICE("1"));
        assert_non_null(strstr(text, ">\xef\xbf\xbd</text>"));
        free(text);
    }
    char *kept = badge_text(SLICE("h\xc3\xb6he \xe2\x82\xac"), SLICE("1"));
    assert_non_null(strstr(kept, ">h\xc3\xb6he \xe2\x82\xac</text>"));
    free(kept);
}

static void test_text_is_dark_on_a_light_half(void **state)
{
    (void)state;
    struct buf out = {0};
    badge_append(&out, &(struct badge){SLICE("a"), SLICE("1"), 0xffff00, 0x000080});
    buf_append(&out, "", 1);
    assert_non_null(strstr(out.data, "fill=\"#000080\""));
    assert_non_null(strstr(out.data, "<text xml:space=\"preserve\" fill=\"#fff\""));
    assert_non_null(strstr(strstr(out.data, "fill=\"#ffff00\""), "<text xml:space=\"preserve\" fill=\"#1c1917\""));
    buf_fini(&out);
}

static void test_a_label_is_plain_text(void **state)
{
    (void)state;
    static const char long_label[] = "0123456789012345678901234567890123456789012345678901234567890123x";
    assert_true(badge_label_valid(SLICE("")) && badge_label_valid(SLICE("<k\xc3\xa4se> \xe2\x82\xac")));
    assert_true(badge_label_valid((struct slice){long_label, BADGE_LABEL_BYTES_MAX}));
    static const struct slice bad[] = {
        SLICE("\xff"), SLICE("a\n"), SLICE("\x7f"), SLICE("\xc3"), {long_label, BADGE_LABEL_BYTES_MAX + 1}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(badge_label_valid(bad[i]));
}

static void test_widths_are_those_of_the_font(void **state)
{
    (void)state;
    assert_int_equal(width_of(SLICE("hits"), SLICE("1")), 24 + 20 + 7);
    assert_int_equal(width_of(SLICE("WWWW"), SLICE("1")) - width_of(SLICE("iiii"), SLICE("1")), 44 - 12);
    assert_int_equal(width_of(SLICE(""), SLICE("1000")), 12 + 28);                                /* no empty half */
    assert_int_equal(width_of(SLICE("\xe6\x97\xa5\xe6\x9c\xac"), SLICE("1")), 24 + 22 + 7);       /* wide */
    assert_int_equal(width_of(SLICE("e\xcc\x81"), SLICE("1")), width_of(SLICE("e"), SLICE("1"))); /* a mark over it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_xml_in_a_label_is_escaped),
        cmocka_unit_test(test_bytes_that_xml_has_no_place_for_are_replaced),
        cmocka_unit_test(test_text_is_dark_on_a_light_half),
        cmocka_unit_test(test_a_label_is_plain_text),
        cmocka_unit_test(test_widths_are_those_of_the_font),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
