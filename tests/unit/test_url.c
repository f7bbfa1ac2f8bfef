#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "redis/url.h"

static void test_every_part_of_a_url_is_read(void **state)
{
    struct redis_url u;
    struct error err;
    (void)state;

    assert_int_equal(redis_url_parse("rediss://app@cache.example.com:6380/3", &u, &err), 0);
    assert_true(u.tls);
    assert_string_equal(u.user, "app");
    assert_string_equal(u.host, "cache.example.com");
    assert_int_equal(u.port, 6380);
    assert_int_equal(u.db, 3);
}

static void test_what_is_left_out_has_a_default(void **state)
{
    struct redis_url u;
    struct error err;
    (void)state;

    assert_int_equal(redis_url_parse("redis://localhost", &u, &err), 0);
    assert_false(u.tls);
    assert_string_equal(u.user, "");
    assert_int_equal(u.port, 6379);
    assert_int_equal(u.db, 0);
    assert_int_equal(redis_url_parse("redis://localhost/", &u, &err), 0);
    assert_int_equal(u.db, 0);
}

static void test_ipv6_hosts_stand_in_brackets(void **state)
{
    struct redis_url u;
    struct error err;
    (void)state;

    assert_int_equal(redis_url_parse("redis://[::1]:7000/1", &u, &err), 0);
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 7000);
    assert_int_equal(redis_url_parse("redis://[fe80::2]", &u, &err), 0);
    assert_string_equal(u.host, "fe80::2");
    assert_int_equal(u.port, 6379);
}

static void test_bad_urls_are_refused_and_leave_the_output_alone(void **state)
{
    static const char *const bad[] = {
        "",
        "localhost:6379",
        "http://localhost",
        "redis://",
        "redis://:6379",
        "redis://host:",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:+1",
        "redis://host:12x",
        "redis://host/x",
        "redis://host/-1",
        "redis://host/99999999999",
        "redis://[::1",
        "redis://[::1]x",
        "redis://[::1]:",
        "redis://ho st",
        "redis://host:6379:6380",
        "redis://host?x=1",
        "redis://host#f",
        "redis://ho\x01st",
        "REDIS://host",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct redis_url u = {.port = 42};
        struct error err = {""};
        if (redis_url_parse(bad[i], &u, &err) != -EINVAL)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(u.port, 42);
        assert_true(err.text[0] != '\0');
    }
}

static void test_a_password_is_refused_and_not_repeated(void **state)
{
    struct redis_url u;
    struct error err;
    (void)state;

    assert_int_equal(redis_url_parse("redis://app:s3cret@host:6379", &u, &err), -EINVAL);
    assert_null(strstr(err.text, "s3cret"));
    assert_non_null(strstr(err.text, "--redis-password-file"));
    assert_int_equal(redis_url_parse("redis://:s3cret@host", &u, &err), -EINVAL);
    assert_null(strstr(err.text, "s3cret"));
}

static void test_overlong_parts_are_refused(void **state)
{
    char text[1024];
    struct redis_url u;
    struct error err;
    (void)state;

    snprintf(text, sizeof(text), "redis://%0300d", 7);
    assert_int_equal(redis_url_parse(text, &u, &err), -EINVAL);
    snprintf(text, sizeof(text), "redis://%0200d@host", 7);
    assert_int_equal(redis_url_parse(text, &u, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_of_a_url_is_read),
        cmocka_unit_test(test_what_is_left_out_has_a_default),
        cmocka_unit_test(test_ipv6_hosts_stand_in_brackets),
        cmocka_unit_test(test_bad_urls_are_refused_and_leave_the_output_alone),
        cmocka_unit_test(test_a_password_is_refused_and_not_repeated),
        cmocka_unit_test(test_overlong_parts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
