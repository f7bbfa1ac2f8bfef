#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_both_kinds_of_addresses_are_read_with_and_without_a_port(void **state)
{
    (void)state;
    struct ip v4, v6, other;
    assert_true(ip_parse(SLICE("192.0.2.1"), &v4) && ip_is_v4(&v4));
    assert_true(ip_parse(SLICE("192.0.2.1:4711"), &other));
    assert_memory_equal(&v4, &other, sizeof(v4));
    assert_true(ip_parse(SLICE("::ffff:192.0.2.1"), &other));
    assert_memory_equal(&v4, &other, sizeof(v4));
    assert_true(ip_parse(SLICE("2001:db8::1"), &v6) && !ip_is_v4(&v6));
    assert_true(ip_parse(SLICE("[2001:db8::1]:4711"), &other));
    assert_memory_equal(&v6, &other, sizeof(v6));
}

static void test_what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",  "unknown", "_hidden", "1.2.3",     "1.2.3.4.5",
                                      "[", "[::1",    "::1::",   "256.0.0.1", "-"};
    struct ip ip;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(ip_parse(slice_of(bad[i]), &ip));
}

static bool has(const char *block, const char *address)
{
    struct ip_block b;
    struct ip ip;
    assert_true(ip_block_parse(slice_of(block), &b));
    assert_true(ip_parse(slice_of(address), &ip));
    return ip_block_has(&b, &ip);
}

static void test_a_block_has_the_addresses_that_begin_like_it(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
    assert_true(has("192.0.2.128/25", "192.0.2.200") && !has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("192.0.2.1", "192.0.2.1") && !has("192.0.2.1", "192.0.2.2"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1") && !has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "203.0.113.9"));
    struct ip_block b;
    static const char *const bad[] = {"",       "/8",         "10.0.0.0/",    "10.0.0.0/33",
                                      "::/129", "10.0.0.0/x", "10.0.0.0/08x", "::/1000"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(ip_block_parse(slice_of(bad[i]), &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_kinds_of_addresses_are_read_with_and_without_a_port),
        cmocka_unit_test(test_what_is_no_address_is_refused),
        cmocka_unit_test(test_a_block_has_the_addresses_that_begin_like_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
