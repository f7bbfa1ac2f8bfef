#include "nodes/outcomes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct reply good = {.type = REPLY_INTEGER, .integer = 100},
                          bad = {.type = REPLY_ERROR, .text = SLICE("WRONGTYPE x")},
                          ok = {.type = REPLY_STATUS, .text = SLICE("OK")},
                          queued = {.type = REPLY_STATUS, .text = SLICE("QUEUED")}, nil = {.type = REPLY_NIL},
                          text = {.type = REPLY_STRING, .text = SLICE("7 f")};

/* A batch of one item. */
static struct batch one(struct batch_item *item)
{
    *item = (struct batch_item){.delta = 5};
    return (struct batch){.items = item, .items_count = 1};
}

static struct outcome exec(struct batch *b, uint32_t count, const struct reply items[])
{
    return outcome_of(STEP_EXEC, &(struct reply){.type = REPLY_ARRAY, .items = items, .items_count = count}, b);
}

static struct outcome step(enum partition_step what, const struct reply *reply)
{
    return outcome_of(what, reply, NULL);
}

static void test_exec_says_of_each_item_what_its_key_holds_or_why_it_was_refused(void **state)
{
    struct batch_item item;
    struct batch b = one(&item);
    (void)state;

    struct outcome o = exec(&b, 2, (struct reply[]){good, ok});
    assert_int_equal(o.kind, OUTCOME_DONE);
    assert_int_equal(o.why, REDIS_ERROR_NONE);
    assert_int_equal(item.total, 100);
    assert_int_equal(item.refused, REDIS_ERROR_NONE);
    assert_int_equal(exec(&b, 2, (struct reply[]){bad, ok}).kind, OUTCOME_DONE);
    assert_int_equal(item.refused, REDIS_ERROR_WRONGTYPE);
    assert_int_equal(b.refused, 1);
}

static void test_an_array_that_does_not_fit_the_batch_changes_nothing_in_it(void **state)
{
    struct batch_item item;
    struct batch b = one(&item);
    (void)state;

    assert_int_equal(exec(&b, 1, (struct reply[]){good}).kind, OUTCOME_STRANGE);
    assert_int_equal(exec(&b, 3, (struct reply[]){bad, bad, ok}).kind, OUTCOME_STRANGE);
    assert_int_equal(exec(&b, 2, (struct reply[]){queued, ok}).kind, OUTCOME_STRANGE);
    assert_int_equal(item.refused, REDIS_ERROR_NONE);
    assert_int_equal(item.total, 0);
}

static void test_a_write_is_done_unless_it_is_refused(void **state)
{
    struct batch_item item;
    struct batch b = one(&item);
    (void)state;

    b.write.there = true;
    exec(&b, 3, (struct reply[]){good, ok, ok});
    assert_true(b.write.done);
    exec(&b, 3, (struct reply[]){good, bad, ok});
    assert_false(b.write.done);
}

static void test_the_ledger_alone_may_be_refused(void **state)
{
    struct batch b = {0};
    (void)state;

    assert_int_equal(exec(&b, 1, (struct reply[]){ok}).why, REDIS_ERROR_NONE);
    struct outcome o = exec(&b, 1, (struct reply[]){{.type = REPLY_ERROR, .text = SLICE("OOM no")}});
    assert_int_equal(o.kind, OUTCOME_DONE);
    assert_int_equal(o.why, REDIS_ERROR_OOM);
    assert_true(slice_equals(o.text, SLICE("OOM no")));
    assert_int_equal(exec(&b, 1, (struct reply[]){nil}).why, REDIS_ERROR_OTHER);
    b.is_probe = true; /* there is no ledger to be set to itself */
    assert_int_equal(exec(&b, 1, (struct reply[]){nil}).why, REDIS_ERROR_NONE);
}

static void test_exec_without_an_array_executed_nothing(void **state)
{
    struct batch b = {0};
    (void)state;

    assert_int_equal(outcome_of(STEP_EXEC, &nil, &b).kind, OUTCOME_NONE);
    struct outcome o = outcome_of(STEP_EXEC, &bad, &b);
    assert_int_equal(o.kind, OUTCOME_REFUSED);
    assert_int_equal(o.why, REDIS_ERROR_WRONGTYPE);
    assert_int_equal(outcome_of(STEP_EXEC, &ok, &b).kind, OUTCOME_STRANGE);
}

static void test_each_step_of_an_arm_has_its_own_answers(void **state)
{
    (void)state;
    assert_int_equal(step(STEP_WATCH, &ok).kind, OUTCOME_DONE);
    assert_int_equal(step(STEP_WATCH, &queued).kind, OUTCOME_STRANGE);
    assert_int_equal(step(STEP_MULTI, &bad).kind, OUTCOME_REFUSED);
    assert_int_equal(step(STEP_QUEUED, &queued).kind, OUTCOME_DONE);
    assert_int_equal(step(STEP_QUEUED, &ok).kind, OUTCOME_STRANGE);
    assert_int_equal(step(STEP_LEDGER, &nil).kind, OUTCOME_NONE);
    assert_int_equal(step(STEP_LEDGER, &text).kind, OUTCOME_TEXT);
    assert_int_equal(step(STEP_LEDGER, &good).kind, OUTCOME_STRANGE);
}

static void test_a_look_tells_whether_incrby_could_have_been_applied(void **state)
{
    static const struct reply number = {.type = REPLY_STRING, .text = SLICE("12")}, empty = {.type = REPLY_STRING};
    (void)state;

    assert_int_equal(step(STEP_LOOK, &number).kind, OUTCOME_DONE);
    assert_int_equal(step(STEP_LOOK, &empty).kind, OUTCOME_DONE);
    assert_int_equal(step(STEP_LOOK, &text).why, REDIS_ERROR_NOT_INTEGER);
    assert_int_equal(step(STEP_LOOK, &bad).why, REDIS_ERROR_WRONGTYPE);
    assert_int_equal(step(STEP_LOOK, &nil).kind, OUTCOME_STRANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exec_says_of_each_item_what_its_key_holds_or_why_it_was_refused),
        cmocka_unit_test(test_an_array_that_does_not_fit_the_batch_changes_nothing_in_it),
        cmocka_unit_test(test_a_write_is_done_unless_it_is_refused),
        cmocka_unit_test(test_the_ledger_alone_may_be_refused),
        cmocka_unit_test(test_exec_without_an_array_executed_nothing),
        cmocka_unit_test(test_each_step_of_an_arm_has_its_own_answers),
        cmocka_unit_test(test_a_look_tells_whether_incrby_could_have_been_applied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
