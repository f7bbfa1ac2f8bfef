#include "forms/hit_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_form(struct slice path, enum hit_form form, struct slice left)
{
    assert_int_equal(hit_form_take(&path), form);
    assert_true(slice_equals(path, left));
}

static enum api_refusal read_query(struct slice query, struct hit_query *out)
{
    *out = (struct hit_query){.n = 1};
    return hit_query_read(query, out);
}

static void test_only_gif_and_svg_at_the_end_are_forms(void **state)
{
    (void)state;
    assert_form(SLICE("blog/a.gif"), HIT_GIF, SLICE("blog/a"));
    assert_form(SLICE("blog/a.svg"), HIT_SVG, SLICE("blog/a"));
    assert_form(SLICE("blog/a.gif.svg"), HIT_SVG, SLICE("blog/a.gif"));
    static const struct slice plain[] = {
        SLICE("blog/a.GIF"), SLICE("blog/a.png"), SLICE("blog/agif"), SLICE("blog/a%2Egif"),
        SLICE(".gif"),       SLICE("gif"),        SLICE("")};
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        assert_form(plain[i], HIT_PLAIN, plain[i]);
}

static void test_every_parameter_is_read(void **state)
{
    (void)state;
    struct hit_query q;
    assert_int_equal(read_query(SLICE("n=5&key=/a+b&label=a+b&color=red&label_color=fff&utm=1&ack=stored"), &q),
                     API_ALLOWED);
    assert_true(q.n == 5 && q.wants_stored && !q.wants_value);
    assert_true(slice_equals(q.label, SLICE("a+b")) && slice_equals(q.color, SLICE("red")));
    assert_true(slice_equals(q.label_color, SLICE("fff")) && slice_equals(q.key, SLICE("/a+b")));
    assert_int_equal(read_query(SLICE("value=1&n=2147483647"), &q), API_ALLOWED);
    assert_true(q.wants_value && q.n == 2147483647);
}

static void test_what_is_wrong_or_there_twice_is_refused(void **state)
{
    (void)state;
    struct hit_query q;
    static const struct slice bad[] = {SLICE("value=2"),      SLICE("value="),          SLICE("ack=1"),
                                       SLICE("ack"),          SLICE("value=1&value=1"), SLICE("ack=stored&value=1"),
                                       SLICE("label=&label=")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(read_query(bad[i], &q), API_REFUSED_BAD_QUERY);
    assert_int_equal(read_query(SLICE("n=0"), &q), API_REFUSED_BAD_N);
    assert_int_equal(read_query(SLICE("n=2147483648"), &q), API_REFUSED_BAD_N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_gif_and_svg_at_the_end_are_forms),
        cmocka_unit_test(test_every_parameter_is_read),
        cmocka_unit_test(test_what_is_wrong_or_there_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
