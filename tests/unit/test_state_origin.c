#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tally/state_origin.h"

static const struct stat file = {.st_ino = 7, .st_dev = 3}, copy = {.st_ino = 8, .st_dev = 3},
                         mounted_anew = {.st_ino = 7, .st_dev = 4};

static void test_a_process_is_known_by_its_number_and_when_it_started(void **state)
{
    struct state_origin o;
    (void)state;

    state_origin_make(&o, &file);
    assert_int_equal(o.inode, 7);
    assert_int_equal(o.device, 3);
    assert_int_equal(o.pid, getpid());
    assert_true(o.started > 0);
    assert_true(o.pid_namespace > 0);
    assert_true(state_origin_lives(&o));
    o.started++; /* another one got its number */
    assert_false(state_origin_lives(&o));
}

static void test_an_origin_whose_process_ended_is_not_alive(void **state)
{
    struct state_origin o;
    (void)state;

    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    state_origin_make(&o, &file);
    o.pid = (uint64_t)child;
    o.started = 0;
    assert_false(state_origin_lives(&o)); /* it is seen, and started some time */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(state_origin_lives(&o));
}

static void test_only_a_copy_has_a_twin_and_only_while_its_process_may_run(void **state)
{
    struct state_origin here, elsewhere, gone;
    (void)state;

    state_origin_make(&here, &file);
    gone = elsewhere = here;
    gone.started++;
    elsewhere.pid_namespace++;                         /* a container of which nothing is seen from here */
    assert_false(state_origin_has_twin(&here, &file)); /* there is a lock for that */
    assert_true(state_origin_has_twin(&here, &copy));
    assert_true(state_origin_has_twin(&here, &mounted_anew)); /* a snapshot of the volume */
    assert_false(state_origin_has_twin(&gone, &copy));
    assert_false(state_origin_has_twin(&gone, &mounted_anew));
    assert_false(state_origin_has_twin(&elsewhere, &file));
    assert_true(state_origin_has_twin(&elsewhere, &copy));
    assert_false(state_origin_has_twin(&elsewhere, &mounted_anew)); /* a container that went on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_is_known_by_its_number_and_when_it_started),
        cmocka_unit_test(test_an_origin_whose_process_ended_is_not_alive),
        cmocka_unit_test(test_only_a_copy_has_a_twin_and_only_while_its_process_may_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
