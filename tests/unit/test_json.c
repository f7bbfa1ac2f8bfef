#include "forms/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bool is_bounded(const char *text) { return json_is_bounded((struct slice){text, strlen(text)}); }

/* `levels` objects in one another, the innermost with `members`. */
static const char *object_of(struct buf *b, unsigned levels, unsigned members)
{
    b->bytes = 0;
    for (unsigned i = 1; i < levels; i++)
        buf_printf(b, "{\"a\":");
    buf_printf(b, "{");
    for (unsigned i = 0; i < members; i++)
        buf_printf(b, "%s\"m%u\":%u", i ? "," : "", i, i);
    for (unsigned i = 0; i < levels; i++)
        buf_printf(b, "}");
    buf_append(b, "", 1);
    return b->data;
}

static void test_more_members_or_levels_than_the_bounds_are_not_read(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_true(is_bounded(object_of(&b, 1, JSON_MEMBERS_MAX)));
    assert_false(is_bounded(object_of(&b, 1, JSON_MEMBERS_MAX + 1)));
    assert_true(is_bounded(object_of(&b, JSON_DEPTH_MAX, JSON_MEMBERS_MAX)));
    assert_false(is_bounded(object_of(&b, JSON_DEPTH_MAX, JSON_MEMBERS_MAX + 1)));
    assert_false(is_bounded(object_of(&b, JSON_DEPTH_MAX + 1, 1)));
    bool no_memory;
    assert_null(json_read((struct slice){object_of(&b, 1, 17), b.bytes - 1}, &no_memory));
    assert_false(no_memory);
    buf_fini(&b);
}

static void test_each_object_has_its_own_members_and_strings_have_none(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_printf(&b, "{\"hits\":[");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%s{\"ns\":\"a\",\"key\":\"%d::::::::::::::::{{{{{{{{{{{{{{{{{{{{\\\"::\"}", i ? "," : "", i);
    buf_printf(&b, "]}");
    bool no_memory;
    json_t *root = json_read(buf_slice(&b), &no_memory);
    assert_int_equal(json_array_size(json_object_get(root, "hits")), 1000);
    json_decref(root);
    buf_fini(&b);
}

static void test_bytes_that_are_no_json_are_bounded_or_not_but_end(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "\"", "\"\\", "}}}}]]]]", "{]{]{]", ":::", "\"\\\"", "[[[[", "\\"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        assert_true(is_bounded(odd[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_members_or_levels_than_the_bounds_are_not_read),
        cmocka_unit_test(test_each_object_has_its_own_members_and_strings_have_none),
        cmocka_unit_test(test_bytes_that_are_no_json_are_bounded_or_not_but_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
