/* The table of a connection's moves, and what must hold in each state: what is not lawful ends the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/conns.h"

/* Is the move refused? It is tried by a child, since an assertion ends whoever breaks it. */
static bool is_refused(struct conn c, enum conn_state from, enum conn_state to)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka would report it */
        fclose(stderr);
        c.state = (uint8_t)from;
        conn_move(&c, to);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* A connection that has what each state asks for. */
static struct conn fit_for(enum conn_state state, struct partial *partial)
{
    bool waits = state == CONN_WAITING || state == CONN_STREAM;

    *partial = (struct partial){.stream = state == CONN_STREAM ? partial : NULL};
    return (struct conn){.partial = waits ? partial : NULL, .linger = state == CONN_LINGER};
}

static void test_a_connection_moves_only_as_the_picture_says(void **state)
{
    static const char *const follow[CONN_STATES] = {
        [CONN_FREE] = "H",    [CONN_HEAD] = "BWSLC", [CONN_BODY] = "HWSLC", [CONN_WAITING] = "HWSLC",
        [CONN_STREAM] = "LC", [CONN_LAST] = "NC",    [CONN_LINGER] = "C",   [CONN_CLOSING] = "F",
    };
    static const char letters[] = "FHBWSLNC"; /* in the order of the states */
    (void)state;

    for (int from = 0; from < CONN_STATES; from++) {
        for (int to = 0; to < CONN_STATES; to++) {
            struct partial partial;
            const struct conn c = fit_for((enum conn_state)to, &partial);
            bool lawful = strchr(follow[from], letters[to]);
            assert_int_equal(is_refused(c, (enum conn_state)from, (enum conn_state)to), !lawful);
        }
    }
}

static void test_a_connection_must_fit_the_state_that_it_comes_to(void **state)
{
    char byte;
    struct partial waiting = {.waiting = &byte}, streaming = {.stream = &byte}, idle = {0};
    (void)state;

    assert_true(is_refused((struct conn){.partial = &waiting}, CONN_WAITING, CONN_HEAD));
    assert_true(is_refused((struct conn){.partial = &streaming}, CONN_STREAM, CONN_LAST));
    assert_true(is_refused((struct conn){0}, CONN_HEAD, CONN_WAITING));
    assert_true(is_refused((struct conn){.partial = &idle}, CONN_HEAD, CONN_STREAM));
    assert_true(is_refused((struct conn){.linger = true, .peer_fin = true}, CONN_LAST, CONN_LINGER));
    assert_true(is_refused((struct conn){.carry = {.data = &byte}}, CONN_CLOSING, CONN_FREE));
    assert_false(is_refused((struct conn){.partial = &waiting}, CONN_HEAD, CONN_CLOSING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_moves_only_as_the_picture_says),
        cmocka_unit_test(test_a_connection_must_fit_the_state_that_it_comes_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
