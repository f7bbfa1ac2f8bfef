#include "policy/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct rate *rate_new(void)
{
    struct rate *r;
    assert_int_equal(rate_create(&r), 0);
    return r;
}

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_true(ip_parse((struct slice){text, strlen(text)}, &ip));
    return ip;
}

static void test_a_burst_is_free_and_then_tokens_come_at_the_rate(void **state)
{
    (void)state;
    struct rate *r = rate_new();
    struct ip a = ip_of("192.0.2.1");
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_take(r, &a, 2, 5, 1000), 0);
    assert_int_equal(rate_take(r, &a, 2, 5, 1000), 1);
    assert_int_equal(rate_take(r, &a, 2, 5, 1499), 1);
    assert_int_equal(rate_take(r, &a, 2, 5, 1500), 0);
    assert_int_equal(rate_take(r, &a, 2, 5, 1500), 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_take(r, &a, 2, 5, 100000), 0);
    assert_int_equal(rate_take(r, &a, 2, 5, 100000), 1);
    rate_destroy(r);
}

static void test_over_a_long_time_no_more_than_the_rate_comes_through(void **state)
{
    (void)state;
    struct rate *r = rate_new();
    struct ip a = ip_of("192.0.2.1");
    uint32_t taken = 0;
    for (uint64_t now_ms = 1; now_ms <= 60000; now_ms += 7)
        taken += rate_take(r, &a, 10, 3, now_ms) == 0;
    assert_in_range(taken, 590, 603);
    rate_destroy(r);
}

static void test_clients_do_not_share_and_an_ipv6_network_is_one_client(void **state)
{
    (void)state;
    struct rate *r = rate_new();
    struct ip a = ip_of("192.0.2.1"), b = ip_of("192.0.2.2"), c = ip_of("2001:db8::1"), d = ip_of("2001:db8::2:1"),
              e = ip_of("2001:db8:0:1::1");
    assert_int_equal(rate_take(r, &a, 1, 1, 1000), 0);
    assert_int_equal(rate_take(r, &a, 1, 1, 1000), 1);
    assert_int_equal(rate_take(r, &b, 1, 1, 1000), 0);
    assert_int_equal(rate_take(r, &c, 1, 1, 1000), 0);
    assert_int_equal(rate_take(r, &d, 1, 1, 1000), 1);
    assert_int_equal(rate_take(r, &e, 1, 1, 1000), 0);
    rate_destroy(r);
}

static void test_a_flood_of_addresses_frees_nobody_who_has_used_his_up(void **state)
{
    (void)state;
    struct rate *r = rate_new();
    struct ip busy = ip_of("192.0.2.1");
    while (rate_take(r, &busy, 1, 100, 1000) == 0)
        ;
    for (uint32_t i = 0; i < 1000000; i++) {
        struct ip other = ip_of("10.0.0.0");
        memcpy(&other.bytes[12], &i, sizeof(i));
        rate_take(r, &other, 1, 100, 1000);
    }
    assert_int_equal(rate_take(r, &busy, 1, 100, 1000), 1);
    rate_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_is_free_and_then_tokens_come_at_the_rate),
        cmocka_unit_test(test_over_a_long_time_no_more_than_the_rate_comes_through),
        cmocka_unit_test(test_clients_do_not_share_and_an_ipv6_network_is_one_client),
        cmocka_unit_test(test_a_flood_of_addresses_frees_nobody_who_has_used_his_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
