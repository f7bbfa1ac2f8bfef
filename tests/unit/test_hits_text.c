#include "forms/hits_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In a copy that ends where the text does: a byte too many is found by the sanitizers. */
static bool read_text(const char *text, struct hits_text *out, char **copy)
{
    size_t bytes = strlen(text);
    *copy = malloc(bytes + !bytes);
    memcpy(*copy, text, bytes);
    return hits_text_read((struct slice){*copy, bytes}, out);
}

static void assert_items(const char *text, const char *const *wanted, size_t count)
{
    struct hits_text hits;
    struct slice item;
    char *copy;
    assert_true(read_text(text, &hits, &copy));
    assert_null(hits.stranger.at);
    assert_int_equal(hits.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(hits_text_next(&hits.items, &item));
        assert_int_equal(item.bytes, strlen(wanted[i]));
        assert_memory_equal(item.at, wanted[i], item.bytes);
    }
    assert_false(hits_text_next(&hits.items, &item));
    free(copy);
}

static void test_items_are_cut_whatever_is_in_them(void **state)
{
    (void)state;
    assert_items("{\"hits\":[]}", NULL, 0);
    assert_items(" {\t\"hits\" : [ ]\r\n}\n", NULL, 0);
    static const char *const some[] = {"{\"n\":1e400}", "{\"a\":\"]},\\\"{\",\"b\":[[{}],{}]}", "nonsense",
                                       "\"\\ud800\"", "[1,2]"};
    assert_items("{\"hits\":[{\"n\":1e400} ,{\"a\":\"]},\\\"{\",\"b\":[[{}],{}]}, nonsense,\"\\ud800\",[1,2]]}", some,
                 5);
}

static void test_what_is_no_such_object_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "{}",
                                      "[]",
                                      "{\"hits\":{}}",
                                      "{\"hits\":1}",
                                      "{\"hits\":[1,]}",
                                      "{\"hits\":[,1]}",
                                      "{\"hits\":[1 2]}",
                                      "{\"hits\":[]}x",
                                      "{\"hits\":[]}}",
                                      "{\"hits\":[],}",
                                      "{\"hits\":[],\"hits\":[]}",
                                      "{hits:[]}",
                                      "{\"hits\" []}",
                                      "{\"hits\":[{]}",
                                      "{\"hits\":[\"]}",
                                      "{\"hits\":[\"\\",
                                      "{1:2}"};
    static const char good[] = "{\"hits\":[{\"a\":\"b\\\"\"},[1],\"x\",2]}";
    struct hits_text hits;
    char *copy;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (read_text(bad[i], &hits, &copy))
            fail_msg("%s", bad[i]);
        free(copy);
    }
    for (size_t bytes = 0; bytes < sizeof(good) - 1; bytes++) {
        char *part = malloc(bytes + !bytes);
        memcpy(part, good, bytes);
        assert_false(hits_text_read((struct slice){part, bytes}, &hits));
        free(part);
    }
}

static void test_a_member_that_is_not_hits_is_named(void **state)
{
    (void)state;
    struct hits_text hits;
    char *copy;
    assert_true(read_text("{\"hits\":[],\"hit\":[{}],\"x\":1}", &hits, &copy));
    assert_true(slice_equals(hits.stranger, SLICE("\"hit\"")));
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_are_cut_whatever_is_in_them),
        cmocka_unit_test(test_what_is_no_such_object_is_refused_wherever_it_ends),
        cmocka_unit_test(test_a_member_that_is_not_hits_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
