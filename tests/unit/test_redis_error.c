#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flush/refusal.h"
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
    assert_int_equal(class_of("ERR unknown command"), REDIS_ERROR_OTHER);
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

static enum refusal_action action_expected(enum redis_error_class c)
{
    switch (c) {
    case REDIS_ERROR_NONE: return REFUSAL_NONE;
    case REDIS_ERROR_READONLY:
    case REDIS_ERROR_MASTERDOWN:
    case REDIS_ERROR_NOAUTH:
    case REDIS_ERROR_WRONGPASS: return REFUSAL_RECONNECT;
    case REDIS_ERROR_MOVED:
    case REDIS_ERROR_CLUSTERDOWN: return REFUSAL_REMAP;
    case REDIS_ERROR_ASK:
    case REDIS_ERROR_TRYAGAIN: return REFUSAL_RETRY;
    default: return REFUSAL_PAUSE;
    }
}

static void test_only_another_server_or_login_is_worth_a_new_connection_and_only_slots_a_new_map(void **state)
{
    (void)state;
    for (int i = 0; i < REDIS_ERROR_COUNT; i++)
        assert_int_equal(refusal_action((enum redis_error_class)i), action_expected((enum redis_error_class)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_real_servers_find_their_class),
        cmocka_unit_test(test_every_class_has_its_own_name),
        cmocka_unit_test(test_only_another_server_or_login_is_worth_a_new_connection_and_only_slots_a_new_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
