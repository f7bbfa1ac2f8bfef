#include "tally/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct answers *answers;

static int setup(void **state)
{
    (void)state;
    return answers_create(&answers);
}

static int teardown(void **state)
{
    (void)state;
    answers_destroy(answers);
    return 0;
}

static void put(const char *name, int64_t stored, bool found, uint64_t at_ms)
{
    answers_put(answers, (struct slice){name, strlen(name)}, &(struct stored_answer){stored, found, at_ms});
}

static bool find(const char *name, uint64_t since_ms, struct stored_answer *out)
{
    return answers_find(answers, (struct slice){name, strlen(name)}, since_ms, out);
}

static void test_the_last_answer_for_a_name_is_found(void **state)
{
    (void)state;
    struct stored_answer a;
    assert_false(find("blog/a", 0, &a));
    put("blog/a", -5, true, 1000);
    put("blog/b", 0, false, 1001);
    assert_true(find("blog/a", 1000, &a));
    assert_true(a.stored == -5 && a.found && a.at_ms == 1000);
    assert_true(find("blog/b", 1000, &a));
    assert_true(a.stored == 0 && !a.found && a.at_ms == 1001);
    put("blog/b", 7, true, 1002);
    assert_true(find("blog/b", 1002, &a));
    assert_true(a.stored == 7 && a.found);
}

static void test_what_was_said_too_long_ago_is_not_found(void **state)
{
    (void)state;
    struct stored_answer a;
    put("blog/a", 5, true, 1000);
    assert_false(find("blog/a", 1001, &a));
}

static void test_memory_is_bounded_and_the_newest_are_kept(void **state)
{
    (void)state;
    struct stored_answer a;
    char name[32];
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof(name), "blog/%d", i);
        put(name, i, true, 1000 + (uint64_t)i);
    }
    for (int i = 199990; i < 200000; i++) {
        snprintf(name, sizeof(name), "blog/%d", i);
        assert_true(find(name, 0, &a));
        assert_int_equal(a.stored, i);
    }
    assert_false(find("blog/0", 0, &a));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_last_answer_for_a_name_is_found),
        TEST(test_what_was_said_too_long_ago_is_not_found),
        TEST(test_memory_is_bounded_and_the_newest_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
