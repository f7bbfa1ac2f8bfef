#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tally/tops.h"

#define KEPT 4

static int set_up(void **state)
{
    struct tops *t = NULL;
    int failed = tops_create(&t, 2, 3, KEPT);

    *state = t;
    return failed;
}

static int tear_down(void **state)
{
    tops_destroy(*state);
    return 0;
}

static void fill(const struct tops *t, struct top *top)
{
    for (uint32_t key = 1; key <= KEPT; key++)
        top_note(t, top, key, 10 * key);
    top_take(top);
    top_end(top, false);
}

static void test_what_is_known_is_offered_once(void **state)
{
    struct tops *t = *state;
    struct top *top = tops_at(t, 1, 2);

    top_note(t, top, 7, 100);
    assert_int_equal(top->due, 1);
    assert_true(top_needs(top, 7));
    assert_false(tops_may_go(t, 2));
    tops_let_go(t);
    assert_true(tops_may_go(t, 2));
    assert_false(tops_may_go(t, 1));
    top_take(top);
    tops_gone(t, 2);
    assert_int_equal(top->due, 0);
    assert_true(top_needs(top, 7));
    top_end(top, false);
    assert_false(top_needs(top, 7));
    top_note(t, top, 7, 100);
    assert_int_equal(top->due, 0);
}

static void test_an_offer_that_failed_is_due_again(void **state)
{
    struct tops *t = *state;
    struct top *top = tops_at(t, 0, 0);

    top_note(t, top, 7, 100);
    top_take(top);
    top_end(top, true);
    assert_int_equal(top->due, 1);
    assert_true(tops_are_due(t));
    top->rests = true;
    assert_false(tops_are_due(t));
    tops_let_go(t);
    assert_false(tops_may_go(t, 0));
    tops_retry(t);
    assert_true(tops_are_due(t));
}

static void test_what_is_not_above_the_floor_is_not_offered(void **state)
{
    struct tops *t = *state;
    struct top *top = tops_at(t, 0, 0);

    fill(t, top);
    assert_int_equal(top->floor, 10);
    top_note(t, top, 9, 10);
    assert_false(top_needs(top, 9));
    top_note(t, top, 9, 11);
    assert_true(top_needs(top, 9));
    assert_int_equal(top->count, KEPT);
    assert_int_equal(top->floor, 11);
}

static void test_a_key_that_was_set_lower_is_offered_as_such(void **state)
{
    struct tops *t = *state;
    struct top *top = tops_at(t, 0, 0);

    fill(t, top);
    top_note(t, top, 4, 15);
    assert_int_equal(top->entries[3].total, 15);
    assert_true(top->entries[3].lower);
    top_note(t, top, 4, 16);
    assert_true(top->entries[3].lower);
    top_take(top);
    top_end(top, false);
    top_note(t, top, 4, 17);
    assert_false(top->entries[3].lower);
}

static void test_what_is_doubted_is_unsure_until_it_is_said(void **state)
{
    struct tops *t = *state;
    struct top *top = tops_at(t, 1, 1);
    uint32_t keys[8];

    fill(t, top);
    tops_doubt(t, 1);
    assert_int_equal(top->count, 0);
    assert_int_equal(tops_unsure(t, 8, keys), KEPT);
    assert_int_equal(tops_unsure(t, 2, keys), 2);
    assert_true(top_needs(top, 3));
    top_is_sure(t, top, 3);
    assert_false(top_needs(top, 3));
    top_drop(t, top, 2);
    assert_int_equal(tops_unsure(t, 8, keys), KEPT - 2);
    tops_doubt(t, 1);
    assert_int_equal(tops_unsure(t, 8, keys), KEPT - 2);
}

static void test_a_dropped_key_is_offered_no_more(void **state)
{
    struct tops *t = *state;
    struct top *top = tops_at(t, 0, 0);

    top_note(t, top, 1, 10);
    top_note(t, top, 2, 20);
    top_drop(t, top, 1);
    top_drop(t, top, 8);
    assert_int_equal(top->count, 1);
    assert_int_equal(top->due, 1);
    assert_int_equal(top->entries[0].key, 2);
    top_begin_anew(top);
    assert_int_equal(top->count + top->due, 0);
}

static void test_without_any_nothing_is_due(void **state)
{
    (void)state;
    assert_int_equal(tops_namespaces(NULL), 0);
    assert_false(tops_are_due(NULL) || tops_may_go(NULL, 0) || tops_are_unsure(NULL));
    tops_doubt(NULL, 0);
    tops_let_go(NULL);
    tops_retry(NULL);
    tops_gone(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_known_is_offered_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_offer_that_failed_is_due_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_above_the_floor_is_not_offered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_key_that_was_set_lower_is_offered_as_such, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_doubted_is_unsure_until_it_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_dropped_key_is_offered_no_more, set_up, tear_down),
        cmocka_unit_test(test_without_any_nothing_is_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
