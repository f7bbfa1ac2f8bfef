#include "config/option_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

static struct options options;
static struct error err;

static int set(enum option_index index, const char *text)
{
    memset(&err, 0, sizeof(err));
    return option_value_set(&options, option_at(index), text, &err);
}

static void test_numbers_are_taken_at_their_bounds_and_refused_beyond(void **state)
{
    (void)state;
    assert_int_equal(set(OPTION_INDEX_workers, "1"), 0);
    assert_int_equal(set(OPTION_INDEX_workers, "1024"), 0);
    assert_int_equal(options.workers, 1024);
    assert_int_equal(set(OPTION_INDEX_workers, "1025"), -EINVAL);
    assert_int_equal(set(OPTION_INDEX_workers, "0"), -EINVAL);
    assert_int_equal(options.workers, 1024);
    assert_int_equal(set(OPTION_INDEX_batch_wait_us, "10ms"), 0);
    assert_int_equal(set(OPTION_INDEX_batch_wait_us, "10001us"), -EINVAL);
    assert_string_equal(err.text, "'10001us' is not a time: a number with us, ms, s, m or h, from 0us to 10ms");
    assert_int_equal(set(OPTION_INDEX_max_body_bytes, "16M"), 0);
    assert_int_equal(set(OPTION_INDEX_max_body_bytes, "17M"), -EINVAL);
}

static void test_auto_is_only_allowed_where_the_table_says_so(void **state)
{
    (void)state;
    assert_int_equal(set(OPTION_INDEX_workers, "auto"), 0);
    assert_int_equal(options.workers, 0);
    assert_int_equal(set(OPTION_INDEX_max_keys, "auto"), -EINVAL);
}

static void test_a_prefix_has_no_bytes_that_mean_something_elsewhere(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a b",   "a{b", "a}",
        "a\tb",  "a\"", "a\\b",
        "a\x7f", "\n",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(set(OPTION_INDEX_prefix, bad[i]), -EINVAL);
    assert_int_equal(set(OPTION_INDEX_prefix, "site-1:\xc3\xa4:"), 0);
    assert_string_equal(options.prefix, "site-1:\xc3\xa4:");
}

static void test_a_folder_may_have_any_name_that_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(set(OPTION_INDEX_state_dir, "/mnt/my data {1} \"\xc3\xa4\""), 0);
    assert_string_equal(options.state_dir, "/mnt/my data {1} \"\xc3\xa4\"");
    assert_int_equal(set(OPTION_INDEX_state_dir, "/mnt/a\nb"), -EINVAL);
    char longest[4002] = {0};
    memset(longest, 'a', 4001);
    assert_int_equal(set(OPTION_INDEX_state_dir, longest), -EINVAL);
    assert_int_equal(set(OPTION_INDEX_state_dir, longest + 1), 0);
}

static void test_a_file_must_be_readable_and_no_directory(void **state)
{
    (void)state;
    assert_int_equal(set(OPTION_INDEX_config, "/nonexistent/tallyd.conf"), -EINVAL);
    assert_string_equal(err.text, "cannot read '/nonexistent/tallyd.conf': No such file or directory");
    assert_int_equal(set(OPTION_INDEX_config, "/tmp"), -EINVAL);
    assert_string_equal(err.text, "'/tmp' is a directory, not a file");
    assert_int_equal(set(OPTION_INDEX_config, "/dev/null"), 0);
}

static void test_a_bad_url_or_secret_is_never_repeated(void **state)
{
    (void)state;
    char secret[600];
    memset(secret, 'x', sizeof(secret));
    memcpy(secret, "hunter2", 7);
    secret[sizeof(secret) - 1] = '\0';
    assert_int_equal(set(OPTION_INDEX_redis, "redis://user:hunter2@host"), -EINVAL);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(set(OPTION_INDEX_redis, "http://hunter2@host"), -EINVAL);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(set(OPTION_INDEX_redis_password, secret), -EINVAL);
    assert_null(strstr(err.text, "hunter2"));
}

static void test_a_redis_url_is_read_and_none_is_none(void **state)
{
    (void)state;
    assert_int_equal(set(OPTION_INDEX_redis, "redis://cache:6380"), 0);
    assert_string_equal(options.redis.host, "cache");
    assert_int_equal(options.redis.port, 6380);
    assert_false(options.redis.tls);
    assert_int_equal(set(OPTION_INDEX_redis, "rediss://other"), 0);
    assert_true(options.redis.tls);
    assert_int_equal(set(OPTION_INDEX_redis, "http://other"), -EINVAL);
    assert_string_equal(options.redis.host, "other");
    assert_int_equal(set(OPTION_INDEX_redis, ""), 0);
    assert_string_equal(options.redis.host, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_taken_at_their_bounds_and_refused_beyond),
        cmocka_unit_test(test_auto_is_only_allowed_where_the_table_says_so),
        cmocka_unit_test(test_a_prefix_has_no_bytes_that_mean_something_elsewhere),
        cmocka_unit_test(test_a_folder_may_have_any_name_that_can_be_read),
        cmocka_unit_test(test_a_file_must_be_readable_and_no_directory),
        cmocka_unit_test(test_a_bad_url_or_secret_is_never_repeated),
        cmocka_unit_test(test_a_redis_url_is_read_and_none_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
