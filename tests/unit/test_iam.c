/* The password that MemoryDB takes: a token of the moment, signed with the keys of the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "redis/iam.h"
#include "redis/sigv4.h"

static const struct iam_config config = {.user = "tallyd", .cluster = "counters", .region = "eu-central-1"};

static int keys_in_environment(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    setenv("AWS_SESSION_TOKEN", "session", 1);
    unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    return 0;
}

/* What sigv4 (which has AWS's own example as a test) says of that second. */
static void expected_at(int64_t wall_s, char out[2048])
{
    const struct sigv4_keys keys = {"AKID", "s3cret", "session"};
    const struct sigv4_request r = {.host = "counters",
                                    .path = "/",
                                    .query = "Action=connect&User=tallyd",
                                    .service = "memorydb",
                                    .region = "eu-central-1",
                                    .payload_sha256 = SIGV4_EMPTY_SHA256,
                                    .expires_s = 900,
                                    .wall_s = wall_s};
    struct buf text = {0};

    assert_int_equal(sigv4_presign(&text, &keys, &r), 0);
    assert_true(text.bytes < 2048);
    memcpy(out, text.data, text.bytes);
    out[text.bytes] = '\0';
    buf_fini(&text);
}

static void test_the_password_is_the_token_of_this_second_without_a_scheme(void **state)
{
    struct error err = {""};
    struct iam *iam;
    char before[2048], after[2048];
    (void)state;

    assert_int_equal(iam_create(&iam, &config, &err), 0);
    struct credentials c = iam_credentials(iam);
    for (int i = 0; i < 2; i++) { /* again: with the keys that are kept, into the same place */
        expected_at(clock_wall_ms() / 1000, before);
        const char *token = c.password(c.ctx, &err);
        expected_at(clock_wall_ms() / 1000, after);
        assert_non_null(token);
        assert_true(!strcmp(token, before) || !strcmp(token, after));
        unsetenv("AWS_SECRET_ACCESS_KEY");
    }
    iam_destroy(iam);
}

static void test_a_connection_is_made_anew_before_the_twelve_hours_that_it_may_live(void **state)
{
    struct error err = {""};
    struct iam *iam;
    (void)state;

    assert_int_equal(iam_create(&iam, &config, &err), 0);
    assert_in_range(iam_credentials(iam).reconnect_ms, 3600 * 1000, 12 * 3600 * 1000 - 1);
    iam_destroy(iam);
    iam_destroy(NULL);
}

static void test_without_keys_there_is_no_password_but_a_sentence_and_later_keys_are_found(void **state)
{
    struct error err = {""};
    struct iam *iam;
    (void)state;

    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_int_equal(iam_create(&iam, &config, &err), 0);
    struct credentials c = iam_credentials(iam);
    assert_null(c.password(c.ctx, &err));
    assert_non_null(strstr(err.text, "no AWS keys"));
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    assert_non_null(c.password(c.ctx, &err));
    iam_destroy(iam);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_password_is_the_token_of_this_second_without_a_scheme, keys_in_environment),
        cmocka_unit_test_setup(test_a_connection_is_made_anew_before_the_twelve_hours_that_it_may_live,
                               keys_in_environment),
        cmocka_unit_test_setup(test_without_keys_there_is_no_password_but_a_sentence_and_later_keys_are_found,
                               keys_in_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
