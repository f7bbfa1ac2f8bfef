#include "policy/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_client(const char *trusted, const char *peer, const char *forwarded, const char *client)
{
    struct proxies proxies;
    struct http_request r = {0};
    struct ip from, wanted;
    assert_int_equal(proxies_parse(&proxies, trusted), 0);
    assert_true(ip_parse((struct slice){peer, strlen(peer)}, &from));
    assert_true(ip_parse((struct slice){client, strlen(client)}, &wanted));
    if (forwarded)
        r.field[HTTP_FIELD_X_FORWARDED_FOR] = (struct slice){forwarded, strlen(forwarded)};
    struct ip found = client_find(&proxies, &from, &r);
    assert_memory_equal(&found, &wanted, sizeof(found));
}

static void test_a_stranger_is_not_believed(void **state)
{
    (void)state;
    assert_client("", "203.0.113.9", "192.0.2.1", "203.0.113.9");
    assert_client("10.0.0.0/8", "203.0.113.9", "192.0.2.1", "203.0.113.9");
}

static void test_a_proxy_is_believed_as_far_as_proxies_wrote(void **state)
{
    (void)state;
    assert_client("10.0.0.0/8", "10.0.0.1", "192.0.2.1", "192.0.2.1");
    assert_client("10.0.0.0/8", "10.0.0.1", " 198.51.100.66 ,\t192.0.2.1 ", "192.0.2.1");
    assert_client("10.0.0.0/8,::1", "::1", "198.51.100.66, 192.0.2.1:80, 10.2.3.4", "192.0.2.1");
    assert_client("10.0.0.0/8", "10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3");
}

static void test_the_search_for_the_client_ends_at_what_is_no_address(void **state)
{
    (void)state;
    assert_client("10.0.0.0/8", "10.0.0.1", NULL, "10.0.0.1");
    assert_client("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1");
    assert_client("10.0.0.0/8", "10.0.0.1", "192.0.2.1, unknown", "10.0.0.1");
    assert_client("10.0.0.0/8", "10.0.0.1", "192.0.2.1,, ,\t10.0.0.2,", "192.0.2.1");
}

static struct slice of(const char *text) { return (struct slice){text, strlen(text)}; }

static void assert_forwarded(const char *forwarded, const char *client)
{
    struct proxies proxies;
    struct http_request r = {.field[HTTP_FIELD_FORWARDED] = of(forwarded)};
    struct ip from, wanted;
    assert_int_equal(proxies_parse(&proxies, "10.0.0.0/8,2001:db8::/32"), 0);
    assert_true(ip_parse(of("10.0.0.1"), &from));
    assert_true(ip_parse(of(client), &wanted));
    struct ip found = client_find(&proxies, &from, &r);
    assert_memory_equal(&found, &wanted, sizeof(found));
}

static void test_the_field_forwarded_names_the_client_too(void **state)
{
    (void)state;
    assert_forwarded("for=192.0.2.1", "192.0.2.1");
    assert_forwarded("proto=https;For=192.0.2.1:47;by=10.0.0.1", "192.0.2.1");
    assert_forwarded("for=198.51.100.7, for=\"192.0.2.1:80\" , ,for=10.0.0.9;proto=http", "192.0.2.1");
    assert_forwarded("for=\"[2001:db9::1]:4711\", for=\"[2001:db8::7]\"", "2001:db9::1");
    assert_forwarded("for=192.0.2.1\r\nX-Other: for=198.51.100.7\r\nFORWARDED: for=10.0.0.2", "192.0.2.1");
    assert_forwarded("for=192.0.2.1;x=\"a,for=198.51.100.7\", for=10.0.0.2", "192.0.2.1");
    assert_forwarded("for=\"198.51.100.7, for=192.0.2.1", "192.0.2.1"); /* a client's open quote hides nothing */
    /* What a proxy quotes may be its client's: Host may hold semicolons. */
    assert_forwarded("host=\"a;for=198.51.100.7;b\";for=192.0.2.1", "192.0.2.1");
    assert_forwarded("host=\"a\\\";for=198.51.100.7;b\";for=192.0.2.1", "192.0.2.1");
    assert_forwarded("host=\"a;for=192.0.2.1", "10.0.0.1");
    assert_forwarded("for=unknown", "10.0.0.1");
    assert_forwarded("for=_hidden, for=10.0.0.3", "10.0.0.3");
    assert_forwarded("for=", "10.0.0.1");
    assert_forwarded("by=192.0.2.1", "10.0.0.1");
}

static void test_x_forwarded_for_goes_before_forwarded(void **state)
{
    (void)state;
    struct proxies proxies;
    struct http_request r = {.field[HTTP_FIELD_FORWARDED] = of("for=198.51.100.7"),
                             .field[HTTP_FIELD_X_FORWARDED_FOR] = of("192.0.2.1")};
    struct ip from, wanted;
    assert_int_equal(proxies_parse(&proxies, "10.0.0.0/8"), 0);
    assert_true(ip_parse(of("10.0.0.1"), &from) && ip_parse(of("192.0.2.1"), &wanted));
    struct ip found = client_find(&proxies, &from, &r);
    assert_memory_equal(&found, &wanted, sizeof(found));
}

static void test_a_list_of_proxies_that_is_none_is_refused(void **state)
{
    (void)state;
    struct proxies proxies;
    assert_int_equal(proxies_parse(&proxies, "10.0.0.0/8 ,::1"), -22);
    assert_int_equal(proxies_parse(&proxies, "all"), -22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stranger_is_not_believed),
        cmocka_unit_test(test_a_proxy_is_believed_as_far_as_proxies_wrote),
        cmocka_unit_test(test_the_search_for_the_client_ends_at_what_is_no_address),
        cmocka_unit_test(test_the_field_forwarded_names_the_client_too),
        cmocka_unit_test(test_x_forwarded_for_goes_before_forwarded),
        cmocka_unit_test(test_a_list_of_proxies_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
