#include "policy/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct access *access_of(const char *text)
{
    struct access *a;
    struct error err;
    assert_int_equal(access_create(&a, strdup(text), &err), 0);
    return a;
}

static enum api_refusal check(const struct access *a, const struct tokens *t, const char *name, const char *origin,
                              const char *authorization)
{
    struct http_request r = {0};
    if (origin)
        r.field[HTTP_FIELD_ORIGIN] = (struct slice){origin, strlen(origin)};
    if (authorization)
        r.field[HTTP_FIELD_AUTHORIZATION] = (struct slice){authorization, strlen(authorization)};
    return access_check(a, t, &r, (struct slice){name, strlen(name)});
}

static void test_what_no_rule_speaks_of_is_taken(void **state)
{
    (void)state;
    struct access *a = access_of("# nothing but a comment\n\nblog key a\n");
    assert_int_equal(check(a, NULL, "shop/anything", NULL, NULL), API_ALLOWED);
    access_destroy(a);
}

static void test_keys_are_taken_whole_or_by_their_beginning(void **state)
{
    (void)state;
    struct access *a = access_of("blog key a\r\nblog  key\tposts/*\n");
    assert_int_equal(check(a, NULL, "blog/a", NULL, NULL), API_ALLOWED);
    assert_int_equal(check(a, NULL, "blog/posts/", NULL, NULL), API_ALLOWED);
    assert_int_equal(check(a, NULL, "blog/posts/x", NULL, NULL), API_ALLOWED);
    assert_int_equal(check(a, NULL, "blog/posts", NULL, NULL), API_REFUSED_KEY_NOT_ALLOWED);
    assert_int_equal(check(a, NULL, "blog/ab", NULL, NULL), API_REFUSED_KEY_NOT_ALLOWED);
    access_destroy(a);
}

static void test_an_origin_must_be_one_of_those_named(void **state)
{
    (void)state;
    struct access *a = access_of("blog origin https://a.example\nblog origin https://b.example\n");
    assert_int_equal(check(a, NULL, "blog/x", "https://b.example", NULL), API_ALLOWED);
    assert_int_equal(check(a, NULL, "blog/x", NULL, NULL), API_REFUSED_ORIGIN);
    assert_int_equal(check(a, NULL, "blog/x", "null", NULL), API_REFUSED_ORIGIN);
    assert_int_equal(check(a, NULL, "blog/x", "https://a.example.evil", NULL), API_REFUSED_ORIGIN);
    access_destroy(a);
}

static void test_a_token_is_an_alternative_to_an_origin(void **state)
{
    (void)state;
    char text[] = "token-for-hits-0001 hit:blog\ntoken-for-writes-01 write\n";
    struct tokens *t;
    struct error err;
    assert_int_equal(tokens_create(&t, text, &err), 0);
    struct access *a = access_of("blog origin https://a.example\nblog token\n");
    assert_int_equal(check(a, t, "blog/x", "https://a.example", NULL), API_ALLOWED);
    assert_int_equal(check(a, t, "blog/x", NULL, "Bearer token-for-hits-0001"), API_ALLOWED);
    assert_int_equal(check(a, t, "blog/x", NULL, "Bearer token-for-writes-01"), API_REFUSED_TOKEN);
    assert_int_equal(check(a, t, "blog/x", NULL, NULL), API_REFUSED_TOKEN);
    assert_int_equal(check(a, NULL, "blog/x", NULL, "Bearer token-for-hits-0001"), API_REFUSED_TOKEN);
    access_destroy(a);
    tokens_destroy(t);
}

static void test_the_star_is_for_namespaces_without_rules_of_their_own(void **state)
{
    (void)state;
    struct access *a = access_of("* key home\nblog key a\n");
    assert_int_equal(check(a, NULL, "shop/home", NULL, NULL), API_ALLOWED);
    assert_int_equal(check(a, NULL, "shop/a", NULL, NULL), API_REFUSED_KEY_NOT_ALLOWED);
    assert_int_equal(check(a, NULL, "blog/home", NULL, NULL), API_REFUSED_KEY_NOT_ALLOWED);
    access_destroy(a);
}

static void test_a_line_that_is_no_rule_and_a_text_without_rules_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"blog",     "blog key",    "blog origin",  "blog token x",   "blog key a b",
                                      "b! key a", "blog keys a", "blog key {a}", "blog key a\x7f*"};
    static const char *const cut[] = {"", "# only a comment\n", "blog key a", "blog key a\nblog tok"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct access *a;
        struct error err;
        char line[64];
        snprintf(line, sizeof(line), "%s\n", bad[i]);
        assert_int_equal(access_create(&a, strdup(line), &err), -22);
        assert_non_null(strstr(err.text, "line 1 "));
    }
    for (size_t i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
        struct access *a;
        struct error err;
        assert_int_equal(access_create(&a, strdup(cut[i]), &err), -22);
    }
}

static void test_an_origin_of_any_length_is_taken_or_refused(void **state)
{
    (void)state;
    for (int bytes = 1; bytes < 1200; bytes++) {
        struct access *a;
        struct error err;
        char line[1300];
        snprintf(line, sizeof(line), "blog origin %0*d://blog.example\n", bytes, 0);
        for (char *c = strchr(line, '0'); c != NULL; c = strchr(c, '0'))
            *c = 's';
        int result = access_create(&a, strdup(line), &err);
        if (result == 0)
            access_destroy(a);
        else
            assert_non_null(strstr(err.text, "line 1: no browser sends the origin"));
    }
}

static void test_without_an_origin_the_referer_has_it(void **state)
{
    (void)state;
    struct access *a = access_of("blog origin https://a.example\n");
    static const struct {
        const char *origin, *referer;
        enum api_refusal why;
    } rows[] = {
        {NULL, "https://a.example/posts/1?b=c", API_ALLOWED},
        {NULL, "https://a.example", API_ALLOWED},
        {NULL, "https://a.example.evil/", API_REFUSED_ORIGIN},
        {NULL, "https://a.example@evil/", API_REFUSED_ORIGIN},
        {NULL, "https://evil/?https://a.example/", API_REFUSED_ORIGIN},
        {NULL, "//a.example/", API_REFUSED_ORIGIN},
        {NULL, "", API_REFUSED_ORIGIN},
        {"null", "https://a.example/", API_REFUSED_ORIGIN},
        {"https://evil", "https://a.example/", API_REFUSED_ORIGIN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct http_request r = {.field[HTTP_FIELD_REFERER] = {rows[i].referer, strlen(rows[i].referer)}};
        if (rows[i].origin)
            r.field[HTTP_FIELD_ORIGIN] = (struct slice){rows[i].origin, strlen(rows[i].origin)};
        assert_int_equal(access_check(a, NULL, &r, SLICE("blog/x")), rows[i].why);
    }
    access_destroy(a);
}

/* Short words over few letters, so that rules cover each other and keys meet them. */
static const char *word_draw(char out[5])
{
    int bytes = 1 + rand() % 4;
    for (int i = 0; i < bytes; i++)
        out[i] = "ab/*"[rand() % 4];
    out[bytes] = '\0';
    return out;
}

enum { MODEL_RULES = 60 };

struct model {
    char ns[MODEL_RULES], words[MODEL_RULES][5];
};

/* Rule by rule. */
static bool model_takes(const struct model *m, char ns, const char *key)
{
    bool any = false;
    for (int i = 0; i < MODEL_RULES; i++) {
        if (m->ns[i] != ns)
            continue;
        size_t bytes = strlen(m->words[i]);
        any = true;
        if (m->words[i][bytes - 1] == '*' ? strncmp(key, m->words[i], bytes - 1) == 0 : strcmp(key, m->words[i]) == 0)
            return true;
    }
    return !any && (ns == '*' || model_takes(m, '*', key));
}

static void test_many_rules_judge_as_one_after_the_other_would(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        srand(seed);
        struct model m;
        char text[MODEL_RULES * 16] = "", key[5], name[8];
        for (int i = 0; i < MODEL_RULES; i++) {
            m.ns[i] = "*xyyyy"[rand() % (seed % 2 ? 6 : 3)];
            sprintf(text + strlen(text), "%c key %s\n", m.ns[i], word_draw(m.words[i]));
        }
        struct access *a = access_of(text);
        assert_int_equal(access_count(a), MODEL_RULES);
        for (int i = 0; i < 300; i++) {
            char ns = "xyz"[rand() % 3];
            snprintf(name, sizeof(name), "%c/%s", ns, word_draw(key));
            bool taken = check(a, NULL, name, NULL, NULL) == API_ALLOWED;
            if (taken != model_takes(&m, ns, key))
                fail_msg("seed %u: %s with\n%s", seed, name, text);
        }
        access_destroy(a);
    }
}

static void test_as_many_rules_as_the_bound_are_taken_and_not_one_more(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        char *text = malloc((ACCESS_RULES_MAX + 1) * 20);
        size_t bytes = 0;
        struct access *a;
        struct error err;
        for (unsigned i = 0; i < ACCESS_RULES_MAX + more; i++)
            bytes += (size_t)sprintf(text + bytes, "n%u key k%u\n", i % 100, i);
        assert_int_equal(access_create(&a, text, &err), more ? -22 : 0);
        if (more)
            continue;
        assert_int_equal(check(a, NULL, "n99/k9999", NULL, NULL), API_ALLOWED);
        assert_int_equal(check(a, NULL, "n98/k9999", NULL, NULL), API_REFUSED_KEY_NOT_ALLOWED);
        access_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_no_rule_speaks_of_is_taken),
        cmocka_unit_test(test_many_rules_judge_as_one_after_the_other_would),
        cmocka_unit_test(test_as_many_rules_as_the_bound_are_taken_and_not_one_more),
        cmocka_unit_test(test_keys_are_taken_whole_or_by_their_beginning),
        cmocka_unit_test(test_an_origin_must_be_one_of_those_named),
        cmocka_unit_test(test_a_token_is_an_alternative_to_an_origin),
        cmocka_unit_test(test_the_star_is_for_namespaces_without_rules_of_their_own),
        cmocka_unit_test(test_without_an_origin_the_referer_has_it),
        cmocka_unit_test(test_a_line_that_is_no_rule_and_a_text_without_rules_are_refused),
        cmocka_unit_test(test_an_origin_of_any_length_is_taken_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
