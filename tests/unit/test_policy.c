#include "http/request.h"
#include "policy/bots.h"
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum api_refusal check(const struct policy *p, enum http_field field, const char *value)
{
    struct http_request r = {0};
    r.field[field] = (struct slice){value, strlen(value)};
    return policy_check(p, &r, SLICE("blog/a"));
}

static void test_the_list_of_filters_is_read_word_by_word(void **state)
{
    (void)state;
    assert_int_equal(policy_filters_parse(""), 0);
    assert_int_equal(policy_filters_parse("gpc"), FILTER_GPC);
    assert_int_equal(policy_filters_parse("dnt,prefetch"), FILTER_DNT | FILTER_PREFETCH);
    assert_int_equal(policy_filters_parse("gpc,"), FILTER_GPC);
    assert_int_equal(policy_filters_parse("gp"), -22);
    assert_int_equal(policy_filters_parse("gpc dnt"), -22);
    assert_int_equal(policy_filters_parse(",gpc"), -22);
}

static void test_each_filter_takes_its_own_field_and_only_when_it_is_on(void **state)
{
    (void)state;
    static const struct {
        unsigned filter;
        enum http_field field;
        const char *yes, *no;
        enum api_refusal why;
    } rows[] = {
        {FILTER_PREFETCH, HTTP_FIELD_SEC_PURPOSE, "prefetch;prerender", "fetch", API_REFUSED_PREFETCH},
        {FILTER_PREFETCH, HTTP_FIELD_PURPOSE, "prefetch", "prefetcher", API_REFUSED_PREFETCH},
        {FILTER_PREFETCH, HTTP_FIELD_PURPOSE, "preview", "previewer", API_REFUSED_PREFETCH},
        {FILTER_PREFETCH, HTTP_FIELD_X_PURPOSE, "x, Preview ;a", "pre", API_REFUSED_PREFETCH},
        {FILTER_PREFETCH, HTTP_FIELD_X_MOZ, "prefetch", "", API_REFUSED_PREFETCH},
        {FILTER_GPC, HTTP_FIELD_SEC_GPC, "1", "0", API_REFUSED_GPC},
        {FILTER_DNT, HTTP_FIELD_DNT, "1", "0", API_REFUSED_DNT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct policy on = {.filters = rows[i].filter}, off = {.filters = 7 & ~rows[i].filter};
        assert_int_equal(check(&on, rows[i].field, rows[i].yes), rows[i].why);
        assert_int_equal(check(&on, rows[i].field, rows[i].no), API_ALLOWED);
        assert_int_equal(check(&off, rows[i].field, rows[i].yes), API_ALLOWED);
    }
}

static void test_a_bot_is_known_by_a_part_of_its_name_in_any_case(void **state)
{
    (void)state;
    struct policy p = {0};
    struct error err;
    assert_int_equal(bots_create(&p.bots, strdup("# bots\r\n GoogleBot \n\ncurl/\n"), &err), 0);
    assert_int_equal(check(&p, HTTP_FIELD_USER_AGENT, "Mozilla/5.0 (compatible; googlebot/2.1)"), API_REFUSED_BOT);
    assert_int_equal(check(&p, HTTP_FIELD_USER_AGENT, "CURL/8"), API_REFUSED_BOT);
    assert_int_equal(check(&p, HTTP_FIELD_USER_AGENT, "Mozilla/5.0"), API_ALLOWED);
    assert_int_equal(check(&p, HTTP_FIELD_USER_AGENT, ""), API_ALLOWED);
    bots_destroy(p.bots);
    static const char *const bad[] = {"", "# none\n", "curl", "curl\n\xff\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(bots_create(&p.bots, strdup(bad[i]), &err), -22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_list_of_filters_is_read_word_by_word),
        cmocka_unit_test(test_each_filter_takes_its_own_field_and_only_when_it_is_on),
        cmocka_unit_test(test_a_bot_is_known_by_a_part_of_its_name_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
