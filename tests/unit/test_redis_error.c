#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "redis/error.h"

static enum redis_error_class class_of(const char *text)
{
    return redis_error_classify((struct slice){text, strlen(text)});
}

static void test_texts_of_real_servers_find_their_class(void **state)
{
    (void)state;
    assert_int_equal(class_of("MOVED 3999 127.0.0.1:6381"), REDIS_ERROR_MOVED);
    assert_int_equal(class_of("ASK 3999 127.0.0.1:6381"), REDIS_ERROR_ASK);
    assert_int_equal(class_of("EXECABORT Transaction discarded because of previous errors."), REDIS_ERROR_EXECABORT);
    assert_int_equal(class_of("NOPERM this user has no permissions to run the 'incrby' command"), REDIS_ERROR_NOPERM);
    assert_int_equal(class_of("NOPERM User t has no permissions to run the 'multi' command"), REDIS_ERROR_NOPERM);
    assert_int_equal(class_of("NOPERM this user has no permissions to access one of the keys used as arguments"),
                     REDIS_ERROR_NOPERM_KEY);
    assert_int_equal(class_of("NOPERM No permissions to access a key"), REDIS_ERROR_NOPERM_KEY);
    assert_int_equal(class_of("NOPERM ACLs rules changed between the moment"), REDIS_ERROR_NOPERM);
    assert_int_equal(class_of("ERR value is not an integer or out of range"), REDIS_ERROR_NOT_INTEGER);
    assert_int_equal(class_of("ERR increment or decrement would overflow"), REDIS_ERROR_OVERFLOW);
    assert_int_equal(class_of("ERR invalid password"), REDIS_ERROR_WRONGPASS);
    assert_int_equal(class_of("WRONGTYPE Operation against a key holding the wrong kind of value"),
                     REDIS_ERROR_WRONGTYPE);
    assert_int_equal(class_of("ERR unknown command 'WATCH', with args"), REDIS_ERROR_UNKNOWN_COMMAND);
    assert_int_equal(class_of("ERR Unknown subcommand or wrong number of arguments for 'SLOTS'"),
                     REDIS_ERROR_UNKNOWN_COMMAND);
    assert_int_equal(class_of("DENIED Redis is running in protected mode because"), REDIS_ERROR_PROTECTED);
    assert_int_equal(class_of("ERR max number of clients reached"), REDIS_ERROR_MAX_CLIENTS);
    assert_int_equal(class_of("ERR max number of clients + cluster connections reached"), REDIS_ERROR_MAX_CLIENTS);
    assert_int_equal(class_of("ERR This instance has cluster support disabled"), REDIS_ERROR_NO_CLUSTER);
    assert_int_equal(class_of("ERR DB index is out of range"), REDIS_ERROR_DATABASE);
    assert_int_equal(class_of("ERR SELECT is not allowed in cluster mode"), REDIS_ERROR_DATABASE);
    assert_int_equal(class_of("ERR Client sent AUTH, but no password is set"), REDIS_ERROR_AUTH_UNWANTED);
    assert_int_equal(class_of("ERR AUTH <password> called without any password configured for the default user."),
                     REDIS_ERROR_AUTH_UNWANTED);
    assert_int_equal(
        class_of("EXECABORT Transaction discarded because of: NOPERM User x has no permissions to run the"),
        REDIS_ERROR_NOPERM);
    assert_int_equal(class_of("EXECABORT Transaction discarded because of: OOM command not"), REDIS_ERROR_OOM);
    assert_int_equal(class_of("ERR something else"), REDIS_ERROR_OTHER);
    assert_int_equal(class_of(""), REDIS_ERROR_OTHER);
    assert_int_equal(class_of("M"), REDIS_ERROR_OTHER);
}

static void test_every_class_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < REDIS_ERROR_COUNT; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(redis_error_name((enum redis_error_class)i),
                                    redis_error_name((enum redis_error_class)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_real_servers_find_their_class),
        cmocka_unit_test(test_every_class_has_its_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
