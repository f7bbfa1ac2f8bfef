#include "config/admin_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool known(const char *list, const char *host)
{
    return admin_host_known(list, (struct slice){host, strlen(host)});
}

static void test_addresses_and_localhost_are_known_with_and_without_a_port(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1:9090", "10.0.0.7", "[::1]:9090", "[fd00::1]", "localhost",
                                        "LocalHost:80",   ""};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        assert_true(known("", hosts[i]));
}

static void test_a_name_is_known_only_when_it_is_in_the_list(void **state)
{
    (void)state;
    assert_false(known("", "evil.example:9090"));
    assert_false(known("", "127.0.0.1.evil.example"));
    assert_false(known("", "localhost.evil.example"));
    assert_false(known("tallyd.svc,metrics", "tallyd"));
    assert_false(known("tallyd.svc,metrics", "tallyd.svc.evil"));
    assert_false(known(",", "evil"));
    assert_true(known("tallyd.svc,metrics", "Tallyd.Svc:9090"));
    assert_true(known("tallyd.svc,metrics", "metrics"));
}

static void test_what_no_host_field_says_is_refused_in_the_list(void **state)
{
    (void)state;
    static const char *const good[] = {"", "tallyd.svc,metrics", "a-b.example,", "localhost,127.0.0.1"};
    static const char *const bad[] = {"https://metrics", "metrics:9090", "metrics/", "*.example",
                                      "[::1]",           "::1",          "a b",      ",a"};
    struct error err;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_int_equal(admin_hosts_check(good[i], &err), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(admin_hosts_check(bad[i], &err), -22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_and_localhost_are_known_with_and_without_a_port),
        cmocka_unit_test(test_a_name_is_known_only_when_it_is_in_the_list),
        cmocka_unit_test(test_what_no_host_field_says_is_refused_in_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
