#include "forms/color.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_colours_are_hex_or_a_name_of_css(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        uint32_t rgb;
    } good[] = {
        {SLICE("abc"), 0xaabbcc},           {SLICE("C2410c"), 0xc2410c},
        {SLICE("red"), 0xff0000},           {SLICE("AliceBlue"), 0xf0f8ff},
        {SLICE("yellowgreen"), 0x9acd32},   {SLICE("tan"), 0xd2b48c},
        {SLICE("rebeccapurple"), 0x663399}, {SLICE("aqua"), 0x00ffff},
        {SLICE("aquamarine"), 0x7fffd4},    {SLICE("lightgoldenrodyellow"), 0xfafad2},
        {SLICE("bad"), 0xbbaadd},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        uint32_t rgb = 1;
        assert_true(color_parse(good[i].text, &rgb));
        assert_int_equal(rgb, good[i].rgb);
    }
}

static void test_what_is_no_colour_is_refused(void **state)
{
    (void)state;
    static const struct slice bad[] = {SLICE(""),
                                       SLICE("#fff"),
                                       SLICE("12345"),
                                       SLICE("red\""),
                                       SLICE("url(x)"),
                                       SLICE("reddish"),
                                       SLICE("re"),
                                       SLICE("transparent"),
                                       SLICE("zzz"),
                                       SLICE("aquamarin"),
                                       SLICE("lightgoldenrodyellows"),
                                       SLICE("red\0"),
                                       SLICE("lightpink\0004")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint32_t rgb = 1;
        assert_false(color_parse(bad[i], &rgb));
        assert_int_equal(rgb, 1);
    }
}

static void test_yellow_is_light_and_red_is_not(void **state)
{
    (void)state;
    assert_true(color_is_light(0xffff00) && color_is_light(0xffffff) && color_is_light(0xc0c0c0));
    assert_false(color_is_light(0xff0000) || color_is_light(0) || color_is_light(0xc2410c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colours_are_hex_or_a_name_of_css),
        cmocka_unit_test(test_what_is_no_colour_is_refused),
        cmocka_unit_test(test_yellow_is_light_and_red_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
