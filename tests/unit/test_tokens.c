#include "policy/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define FIRST "0123456789abcdef"
#define SECOND "second-token-._~+/="

static struct tokens *tokens_of(const char *text)
{
    struct tokens *t;
    struct error err;
    char copy[2048];
    snprintf(copy, sizeof(copy), "%s", text);
    assert_int_equal(tokens_create(&t, copy, &err), 0);
    return t;
}

static enum token_verdict check(const struct tokens *t, const char *field, enum token_right right, const char *ns)
{
    return tokens_check(t, (struct slice){field, field ? strlen(field) : 0}, right, (struct slice){ns, strlen(ns)});
}

static void test_a_right_without_a_namespace_is_for_all_of_them(void **state)
{
    (void)state;
    struct tokens *t = tokens_of("# ours\r\n\n  " FIRST " write\r\n");
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_WRITE, "blog"), TOKEN_GOOD);
    assert_int_equal(check(t, "bearer " FIRST, TOKEN_WRITE, "shop"), TOKEN_GOOD);
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_HIT, "blog"), TOKEN_NOT_ENOUGH);
    tokens_destroy(t);
}

static void test_scopes_bound_a_token_to_what_they_name(void **state)
{
    (void)state;
    struct tokens *t = tokens_of(FIRST " write:blog hit\n" SECOND "\thit:shop\n");
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_WRITE, "blog"), TOKEN_GOOD);
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_WRITE, "blo"), TOKEN_NOT_ENOUGH);
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_HIT, "shop"), TOKEN_GOOD);
    assert_int_equal(check(t, "Bearer " SECOND, TOKEN_HIT, "shop"), TOKEN_GOOD);
    assert_int_equal(check(t, "Bearer " SECOND, TOKEN_HIT, "blog"), TOKEN_NOT_ENOUGH);
    assert_int_equal(check(t, "Bearer " SECOND, TOKEN_WRITE, "shop"), TOKEN_NOT_ENOUGH);
    tokens_destroy(t);
    t = tokens_of(FIRST " read:blog\n" SECOND " read write:blog\n");
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_READ, "blog"), TOKEN_GOOD);
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_READ, "blo"), TOKEN_NOT_ENOUGH);
    assert_int_equal(check(t, "Bearer " FIRST, TOKEN_WRITE, "blog"), TOKEN_NOT_ENOUGH);
    assert_int_equal(check(t, "Bearer " SECOND, TOKEN_READ, "shop"), TOKEN_GOOD);
    assert_int_equal(check(t, "Bearer " SECOND, TOKEN_WRITE, "shop"), TOKEN_NOT_ENOUGH);
    tokens_destroy(t);
}

static void test_a_token_says_where_it_may_read(void **state)
{
    const struct token *token = NULL;
    struct tokens *t = tokens_of(FIRST " read:blog write\n" SECOND " read\n0123456789abcdefg write\n");
    (void)state;
    assert_int_equal(tokens_find(t, SLICE("Bearer " FIRST), &token), TOKEN_GOOD);
    assert_true(token_may_some(token, TOKEN_READ));
    assert_true(token_may(token, TOKEN_READ, SLICE("blog")));
    assert_false(token_may(token, TOKEN_READ, SLICE("shop")));
    assert_false(token_may(token, TOKEN_READ, SLICE("")));
    assert_int_equal(tokens_find(t, SLICE("Bearer " SECOND), &token), TOKEN_GOOD);
    assert_true(token_may(token, TOKEN_READ, SLICE("shop")));
    assert_true(token_may(token, TOKEN_READ, SLICE("")));
    assert_int_equal(tokens_find(t, SLICE("Bearer 0123456789abcdefg"), &token), TOKEN_GOOD);
    assert_false(token_may_some(token, TOKEN_READ));
    assert_int_equal(tokens_find(t, SLICE("Bearer 0123456789abcdefgh"), &token), TOKEN_UNKNOWN);
    assert_int_equal(tokens_find(t, (struct slice){0}, &token), TOKEN_MISSING);
    tokens_destroy(t);
}

static void test_what_is_no_known_token_is_told_apart_from_none(void **state)
{
    (void)state;
    struct tokens *t = tokens_of(FIRST " write\n");
    char longest[TOKEN_BYTES_MAX + 16];
    memset(longest, 'a', sizeof(longest) - 1);
    memcpy(longest, "Bearer ", 7);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(check(t, NULL, TOKEN_WRITE, "blog"), TOKEN_MISSING);
    assert_int_equal(check(t, "", TOKEN_WRITE, "blog"), TOKEN_MISSING);
    assert_int_equal(check(t, "Bearer ", TOKEN_WRITE, "blog"), TOKEN_MISSING);
    assert_int_equal(check(t, "Bearer  ", TOKEN_WRITE, "blog"), TOKEN_UNKNOWN);
    assert_int_equal(check(t, "bearer   " FIRST, TOKEN_WRITE, "blog"), TOKEN_GOOD);
    assert_int_equal(check(t, "Basic " FIRST, TOKEN_WRITE, "blog"), TOKEN_MISSING);
    assert_int_equal(check(t, FIRST, TOKEN_WRITE, "blog"), TOKEN_MISSING);
    assert_int_equal(check(t, "Bearer 0123456789abcde", TOKEN_WRITE, "blog"), TOKEN_UNKNOWN);
    assert_int_equal(check(t, "Bearer " FIRST "0", TOKEN_WRITE, "blog"), TOKEN_UNKNOWN);
    assert_int_equal(check(t, "Bearer 0123456789abcdeF", TOKEN_WRITE, "blog"), TOKEN_UNKNOWN);
    assert_int_equal(check(t, longest, TOKEN_WRITE, "blog"), TOKEN_UNKNOWN);
    tokens_destroy(t);
}

static void test_a_bad_file_is_refused_with_the_line_and_nothing_of_it(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "# only a comment\n",
        "short\n",
        FIRST " reads\n",
        FIRST "\n", /* no right: a line that was cut short */
        FIRST " write",
        FIRST " write:blog\n" SECOND " wri",
        FIRST " write:\n",
        FIRST " write:b!\n",
        FIRST " writes\n",
        "0123456789abcde!\n",
        FIRST " write:blog\n" SECOND " hit\n" FIRST " write\n", /* which of its lines counts? */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct tokens *t;
        struct error err;
        char copy[256];
        snprintf(copy, sizeof(copy), "%s", bad[i]);
        assert_int_equal(tokens_create(&t, copy, &err), -22);
        assert_null(strstr(err.text, "0123456789"));
        assert_null(strstr(err.text, "short"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_right_without_a_namespace_is_for_all_of_them),
        cmocka_unit_test(test_scopes_bound_a_token_to_what_they_name),
        cmocka_unit_test(test_a_token_says_where_it_may_read),
        cmocka_unit_test(test_what_is_no_known_token_is_told_apart_from_none),
        cmocka_unit_test(test_a_bad_file_is_refused_with_the_line_and_nothing_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
