#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ledger/refusal.h"

static enum refusal_action action_expected(enum redis_error_class c)
{
    switch (c) {
    case REDIS_ERROR_NONE: return REFUSAL_NONE;
    case REDIS_ERROR_READONLY:
    case REDIS_ERROR_MASTERDOWN:
    case REDIS_ERROR_NOAUTH:
    case REDIS_ERROR_AUTH_UNWANTED:
    case REDIS_ERROR_PROTECTED:
    case REDIS_ERROR_MAX_CLIENTS:
    case REDIS_ERROR_WRONGPASS: return REFUSAL_RECONNECT;
    case REDIS_ERROR_MOVED:
    case REDIS_ERROR_CROSSSLOT:
    case REDIS_ERROR_CLUSTERDOWN: return REFUSAL_REMAP;
    default: return REFUSAL_PAUSE;
    }
}

static void test_only_another_server_or_login_is_worth_a_new_connection_and_only_slots_a_new_map(void **state)
{
    (void)state;
    for (int i = 0; i < REDIS_ERROR_COUNT; i++)
        assert_int_equal(refusal_action((enum redis_error_class)i), action_expected((enum redis_error_class)i));
}

static void test_every_class_has_advice(void **state)
{
    (void)state;
    for (int i = 0; i < REDIS_ERROR_COUNT; i++) {
        assert_non_null(refusal_advice((enum redis_error_class)i, false));
        assert_true(*refusal_advice((enum redis_error_class)i, true));
    }
    assert_non_null(strstr(refusal_advice(REDIS_ERROR_WRONGPASS, true), "IAM"));
    assert_null(strstr(refusal_advice(REDIS_ERROR_WRONGPASS, false), "IAM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_another_server_or_login_is_worth_a_new_connection_and_only_slots_a_new_map),
        cmocka_unit_test(test_every_class_has_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
