#include "app/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

static void test_a_signal_is_read_and_does_not_end_the_process(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct error err;
    int fd = signals_open(&err);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        kill(getpid(), numbers[i]);
        assert_int_equal(signals_wait(fd, 5000), numbers[i]);
    }
    assert_int_equal(signals_wait(fd, 0), 0);
    signals_close(fd);
}

static void test_waiting_ends_without_a_signal(void **state)
{
    (void)state;
    struct error err;
    int fd = signals_open(&err);
    assert_int_equal(signals_wait(fd, 1), 0);
    signals_close(fd);
}

static void test_a_closed_pipe_is_no_signal(void **state)
{
    (void)state;
    struct error err;
    int fd = signals_open(&err), ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1); /* and we are still here */
    close(ends[1]);
    signals_close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signal_is_read_and_does_not_end_the_process),
        cmocka_unit_test(test_waiting_ends_without_a_signal),
        cmocka_unit_test(test_a_closed_pipe_is_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
