/* The nodes by name, for the metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ledger/roster.h"

static void test_what_was_written_is_read(void **state)
{
    struct roster r = {0};
    struct roster_node in[2] = {0}, out[ROSTER_NODES_MAX];
    (void)state;

    seqlock_init(&r.lock);
    assert_int_equal(roster_read(&r, out), 0);
    strcpy(in[0].name, "a:1");
    strcpy(in[1].name, "b:2");
    in[1].connected = 1;
    roster_write(&r, in, 2);
    assert_int_equal(roster_read(&r, out), 2);
    assert_string_equal(out[0].name, "a:1");
    assert_int_equal(out[0].connected, 0);
    assert_string_equal(out[1].name, "b:2");
    assert_int_equal(out[1].connected, 1);
    roster_write(&r, in + 1, 1);
    assert_int_equal(roster_read(&r, out), 1);
    assert_string_equal(out[0].name, "b:2");
}

static void test_more_nodes_than_labels_are_left_out(void **state)
{
    struct roster r = {0};
    struct roster_node in[ROSTER_NODES_MAX + 3] = {0}, out[ROSTER_NODES_MAX];
    (void)state;

    seqlock_init(&r.lock);
    for (int i = 0; i < ROSTER_NODES_MAX + 3; i++)
        snprintf(in[i].name, sizeof(in[i].name), "n%d:1", i);
    roster_write(&r, in, ROSTER_NODES_MAX + 3);
    assert_int_equal(roster_read(&r, out), ROSTER_NODES_MAX);
    assert_string_equal(out[ROSTER_NODES_MAX - 1].name, "n31:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_more_nodes_than_labels_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
