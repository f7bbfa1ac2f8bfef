#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flush/refusal.h"

static void test_only_another_server_or_login_is_worth_a_new_connection(void **state)
{
    (void)state;
    for (int i = 0; i < REDIS_ERROR_COUNT; i++) {
        bool leaves = i == REDIS_ERROR_READONLY || i == REDIS_ERROR_MASTERDOWN || i == REDIS_ERROR_NOAUTH ||
                      i == REDIS_ERROR_WRONGPASS;
        assert_int_equal(refusal_action((enum redis_error_class)i), leaves ? REFUSAL_RECONNECT : REFUSAL_PAUSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_another_server_or_login_is_worth_a_new_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
