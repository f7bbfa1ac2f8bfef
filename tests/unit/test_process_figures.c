#include "machine/process_figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

static void test_memory_and_cpu_time_are_told(void **state)
{
    (void)state;
    struct process_figures p;
    process_figures_open(&p, 1000);
    struct process_memory memory = process_memory(&p), again = process_memory(&p); /* the same descriptor, read again */
    assert_true(memory.resident_bytes > 0 && memory.virtual_bytes >= memory.resident_bytes);
    assert_true(again.resident_bytes > 0);
    assert_int_equal(p.memory_limit, 1000);
    assert_true(p.fds_max > 2);
    int64_t before_us = process_cpu_us();
    assert_true(before_us > 0 && process_cpu_us() >= before_us);
    process_figures_close(&p);
}

static void test_open_files_are_counted_where_the_kernel_does(void **state)
{
    (void)state;
    struct process_figures p;
    process_figures_open(&p, 0);
    int64_t before = process_fds_open(&p);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(process_fds_open(&p), before == -1 ? -1 : before + 1);
    close(fd);
    process_figures_close(&p);
}

static void test_without_proc_the_figures_are_not_known(void **state)
{
    (void)state;
    struct process_figures p = {.statm_fd = -1, .fds_fd = -1};
    assert_int_equal(process_memory(&p).resident_bytes, -1);
    assert_int_equal(process_fds_open(&p), -1);
    process_figures_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_and_cpu_time_are_told),
        cmocka_unit_test(test_open_files_are_counted_where_the_kernel_does),
        cmocka_unit_test(test_without_proc_the_figures_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
