#include "config/unknown_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_misspelt_option_is_found(void **state)
{
    const char *const environment[] = {"PATH=/bin", "TALLYD_MAX_KEY=1", "TALLYD_CHECK=true", NULL};
    (void)state;
    const char *const *at = unknown_env_find(environment);
    assert_ptr_equal(at, &environment[1]);
    assert_ptr_equal(unknown_env_find(at + 1), &environment[2]); /* a flag only */
    assert_null(unknown_env_find(at + 2));
}

static void test_options_and_other_programs_variables_are_not_unknown(void **state)
{
    const char *const environment[] = {"TALLYD_MAX_KEYS=1", "TALLYD_REDIS_PASSWORD=x", "XTALLYD_A=1", "TALLYD=x", NULL};
    (void)state;
    assert_null(unknown_env_find(environment));
}

static void test_kubernetes_service_links_are_not_unknown(void **state)
{
    const char *const environment[] = {
        "TALLYD_PORT=tcp://10.0.0.1:80",   "TALLYD_PORT_80_TCP_ADDR=10.0.0.1",   "TALLYD_SERVICE_HOST=10.0.0.1",
        "TALLYD_SERVICE_PORT_HTTP=80",     "TALLYD_ADMIN_SERVICE_PORT=9090",     "TALLYD_ADMIN_PORT=tcp://10.0.0.1:9",
        "TALLYD_ADMIN_PORT_9090_TCP=tcp:", "TALLYD_ADMIN_SERVICE_HOST=10.0.0.1", NULL};
    (void)state;
    assert_null(unknown_env_find(environment));
}

static void test_an_option_that_only_looks_like_a_service_link_is_unknown(void **state)
{
    const char *const environment[] = {"TALLYD_PORTS=1", "TALLYD_SERVICE=1", NULL};
    (void)state;
    assert_ptr_equal(unknown_env_find(environment), &environment[0]);
    assert_ptr_equal(unknown_env_find(environment + 1), &environment[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_misspelt_option_is_found),
        cmocka_unit_test(test_options_and_other_programs_variables_are_not_unknown),
        cmocka_unit_test(test_kubernetes_service_links_are_not_unknown),
        cmocka_unit_test(test_an_option_that_only_looks_like_a_service_link_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
