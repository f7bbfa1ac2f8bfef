#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "owed/env.h"

static void test_the_real_world_has_time_and_chance_and_leaves_the_network_to_its_caller(void **state)
{
    struct env env;
    struct error err;
    (void)state;

    assert_int_equal(env_real_init(&env, &err), 0);
    uint64_t before = env_now_us(&env);
    assert_true(before > 0 && env_now_us(&env) >= before);
    assert_int_not_equal(env_random(&env), env_random(&env));
    assert_null(env.transport);
}

static void test_identities_are_version_4_uuids_and_differ(void **state)
{
    struct env env;
    struct error err;
    char a[UUID_TEXT_BYTES], b[UUID_TEXT_BYTES];
    (void)state;

    assert_int_equal(env_real_init(&env, &err), 0);
    env_uuid(&env, a);
    env_uuid(&env, b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-' && a[14] == '4');
    assert_non_null(strchr("89ab", a[19]));
}

/* As after the snapshot of a machine: whatever the memory of both holds, they draw from the kernel. */
static void test_two_processes_with_the_same_memory_draw_differently(void **state)
{
    struct env env;
    struct error err;
    uint64_t own[4], others[4];
    int pair[2];
    (void)state;

    assert_int_equal(env_real_init(&env, &err), 0);
    env_random(&env);
    assert_int_equal(pipe(pair), 0);
    pid_t clone = fork();
    for (int i = 0; i < 4; i++)
        own[i] = env_random(&env);
    if (clone == 0)
        _exit(write(pair[1], own, sizeof(own)) == sizeof(own) ? 0 : 1);
    assert_int_equal(read(pair[0], others, sizeof(others)), sizeof(others));
    assert_int_equal(waitpid(clone, NULL, 0), clone);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(own[i], others[i]);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_real_world_has_time_and_chance_and_leaves_the_network_to_its_caller),
        cmocka_unit_test(test_two_processes_with_the_same_memory_draw_differently),
        cmocka_unit_test(test_identities_are_version_4_uuids_and_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
