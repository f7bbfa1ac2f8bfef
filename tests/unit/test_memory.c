#include "machine/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/test_memory.XXXXXX";

static int root_make(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int machine_clear(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s/proc %s/sys", root, root);
    return system(command);
}

static int root_remove(void **state)
{
    machine_clear(state);
    return rmdir(root);
}

/* A file of the pretended machine, and the directories above it. */
static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

#define MIB (UINT64_C(1) << 20)

static void test_without_groups_it_is_the_machines(void **state)
{
    (void)state;
    put("proc/meminfo", "MemTotal:        2048 kB\nMemFree:         1 kB\n");
    assert_int_equal(memory_limit(root), 2 * MIB);
}

static void test_a_group_of_version_1_limits(void **state)
{
    (void)state;
    put("proc/meminfo", "MemTotal:       20971520 kB\n");
    put("proc/self/cgroup", "4:memory:/pod/c\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "536870912\n");
    put("sys/fs/cgroup/memory/pod/c/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(memory_limit(root), 512 * MIB);
}

static void test_a_group_of_version_2_limits(void **state)
{
    (void)state;
    put("proc/meminfo", "MemTotal:       20971520 kB\n");
    put("proc/self/cgroup", "0::/a\n");
    put("sys/fs/cgroup/memory.max", "268435456\n");
    put("sys/fs/cgroup/a/memory.max", "max\n");
    assert_int_equal(memory_limit(root), 256 * MIB);
}

static void test_a_machine_that_says_nothing_has_no_limit(void **state)
{
    (void)state;
    assert_true(memory_limit(root) == UINT64_MAX);
}

static void test_buffers_get_a_quarter_unless_they_are_named(void **state)
{
    (void)state;
    assert_int_equal(memory_for_buffers(0, 512 * MIB), 128 * MIB);
    assert_int_equal(memory_for_buffers(7 * MIB, 512 * MIB), 7 * MIB);
    assert_int_equal(memory_for_buffers(0, UINT64_MAX), 256 * MIB);
}

#define TEST(name) cmocka_unit_test_teardown(name, machine_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_groups_it_is_the_machines),
        TEST(test_a_group_of_version_1_limits),
        TEST(test_a_group_of_version_2_limits),
        TEST(test_a_machine_that_says_nothing_has_no_limit),
        TEST(test_buffers_get_a_quarter_unless_they_are_named),
    };
    return cmocka_run_group_tests(tests, root_make, root_remove);
}
