/* The nodes by name, for the metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "owed/node_names.h"

static void test_what_was_written_is_read(void **state)
{
    struct node_names r = {0};
    struct node_name in[2] = {0}, out[NODE_NAMES_MAX];
    (void)state;

    seqlock_init(&r.lock);
    assert_int_equal(node_names_read(&r, out), 0);
    strcpy(in[0].name, "a:1");
    strcpy(in[1].name, "b:2");
    in[1].connected = 1;
    node_names_write(&r, in, 2);
    assert_int_equal(node_names_read(&r, out), 2);
    assert_string_equal(out[0].name, "a:1");
    assert_int_equal(out[0].connected, 0);
    assert_string_equal(out[1].name, "b:2");
    assert_int_equal(out[1].connected, 1);
    node_names_write(&r, in + 1, 1);
    assert_int_equal(node_names_read(&r, out), 1);
    assert_string_equal(out[0].name, "b:2");
}

static void test_more_nodes_than_labels_are_left_out(void **state)
{
    struct node_names r = {0};
    struct node_name in[NODE_NAMES_MAX + 3] = {0}, out[NODE_NAMES_MAX];
    (void)state;

    seqlock_init(&r.lock);
    for (int i = 0; i < NODE_NAMES_MAX + 3; i++)
        snprintf(in[i].name, sizeof(in[i].name), "n%d:1", i);
    node_names_write(&r, in, NODE_NAMES_MAX + 3);
    assert_int_equal(node_names_read(&r, out), NODE_NAMES_MAX);
    assert_string_equal(out[NODE_NAMES_MAX - 1].name, "n31:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_more_nodes_than_labels_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
