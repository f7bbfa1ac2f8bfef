#include "machine/cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/test_cpus.XXXXXX";

static int root_make(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int root_remove(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", root);
    return system(command);
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

static int machine_clear(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s/proc %s/sys", root, root);
    return system(command);
}

static void test_without_cgroups_there_is_no_quota(void **state)
{
    (void)state;
    assert_int_equal(cpus_quota(root), UINT32_MAX);
}

static void test_a_v2_quota_is_rounded_up(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/pod/box\n");
    put("sys/fs/cgroup/pod/box/cpu.max", "250000 100000\n");
    assert_int_equal(cpus_quota(root), 3);
    put("sys/fs/cgroup/pod/box/cpu.max", "50000 100000\n");
    assert_int_equal(cpus_quota(root), 1);
    put("sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
    assert_int_equal(cpus_quota(root), UINT32_MAX);
}

static void test_the_least_quota_of_all_ancestors_counts(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/pod/box\n");
    put("sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/pod/cpu.max", "200000 100000\n");
    put("sys/fs/cgroup/cpu.max", "800000 100000\n");
    assert_int_equal(cpus_quota(root), 2);
}

static void test_a_path_of_the_host_falls_back_to_what_is_mounted(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/kubepods/burstable/pod1/box\n");
    put("sys/fs/cgroup/cpu.max", "400000 100000\n");
    assert_int_equal(cpus_quota(root), 4);
}

static void test_a_v1_quota_is_read_where_cpu_is_one_of_the_controllers(void **state)
{
    (void)state;
    put("proc/self/cgroup", "9:cpuset:/box\n4:cpu,cpuacct:/box\n1:name=systemd:/\n0::/\n");
    put("sys/fs/cgroup/cpuset/box/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpuset/box/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cpus_quota(root), UINT32_MAX);
    put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "150000\n");
    put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cpus_quota(root), 2);
    put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(cpus_quota(root), UINT32_MAX);
}

static void test_damaged_files_are_no_quota(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "x y", "-5 100000", "100000", "100000 0", "100000 -1"};
    put("proc/self/cgroup", "no colons\n0:\n0::/\n");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        put("sys/fs/cgroup/cpu.max", bad[i]);
        assert_int_equal(cpus_quota(root), UINT32_MAX);
    }
}

static void test_the_affinity_mask_is_cut_by_the_quota_and_never_raised(void **state)
{
    (void)state;
    cpu_set_t before, one;
    struct cpus cpus;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    cpus_find(root, &cpus);
    assert_int_equal(cpus.allowed, CPU_COUNT(&before));
    assert_int_equal(cpus.usable, cpus.allowed);

    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    cpus_find(root, &cpus);
    assert_int_equal(cpus.usable, 1);
    put("sys/fs/cgroup/cpu.max", "102400000 100000\n");
    cpus_find(root, &cpus);
    assert_int_equal(cpus.usable, cpus.allowed);

    CPU_ZERO(&one);
    CPU_SET(cpus.ids[cpus.allowed - 1], &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    struct cpus single;
    cpus_find(root, &single);
    assert_int_equal(single.allowed, 1);
    assert_int_equal(single.ids[0], cpus.ids[cpus.allowed - 1]);
    sched_setaffinity(0, sizeof(before), &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_without_cgroups_there_is_no_quota, machine_clear),
        cmocka_unit_test_setup(test_a_v2_quota_is_rounded_up, machine_clear),
        cmocka_unit_test_setup(test_the_least_quota_of_all_ancestors_counts, machine_clear),
        cmocka_unit_test_setup(test_a_path_of_the_host_falls_back_to_what_is_mounted, machine_clear),
        cmocka_unit_test_setup(test_a_v1_quota_is_read_where_cpu_is_one_of_the_controllers, machine_clear),
        cmocka_unit_test_setup(test_damaged_files_are_no_quota, machine_clear),
        cmocka_unit_test_setup(test_the_affinity_mask_is_cut_by_the_quota_and_never_raised, machine_clear),
    };
    return cmocka_run_group_tests(tests, root_make, root_remove);
}
