#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flush/stored_waits.h"

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct stored_waits waits;
    uint32_t answered;
};

static void on_answered(void *ctx, struct question *question)
{
    struct fixture *f = ctx;

    (void)question;
    f->answered++;
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 2, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
    f->waits = (struct stored_waits){.keys = f->keys, .asker = {on_answered, f}};
}

static void fixture_fini(struct fixture *f)
{
    keys_destroy(f->keys);
    tally_destroy(f->tally);
}

/* Counts one hit and waits for it until 1000. */
static void wait_begin(struct fixture *f, struct question *question, uint32_t worker)
{
    assert_int_equal(tally_hit(f->tally, worker, SLICE("n/a"), 1), TALLY_COUNTED);
    *question = (struct question){.deadline_ms = 1000, .mark = tally_mark(f->tally, worker, SLICE("n/a"))};
    stored_waits_push(&f->waits, question);
}

static void store_upto(struct fixture *f, const struct tally_mark *mark)
{
    key_cell cell;

    assert_int_not_equal(keys_of_cell(f->keys, mark->worker, mark->cell, &cell), KEY_NONE);
    keys_set_baseline(f->keys, cell, mark->count);
}

static void test_a_wait_ends_when_its_own_hit_is_stored_and_not_before(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    struct question first, other, second;
    wait_begin(&f, &first, 0);
    wait_begin(&f, &other, 1);
    wait_begin(&f, &second, 0);
    stored_waits_settle(&f.waits, 1);
    assert_int_equal(f.answered, 0);
    store_upto(&f, &first.mark);
    stored_waits_settle(&f.waits, 2);
    assert_true(f.answered == 1 && first.done && !other.done && !second.done);
    store_upto(&f, &second.mark);
    store_upto(&f, &other.mark);
    stored_waits_settle(&f.waits, 3);
    assert_true(f.answered == 3 && other.done && second.done);
    assert_int_equal(stored_waits_wake_ms(&f.waits), UINT64_MAX);
    fixture_fini(&f);
}

static void test_at_its_deadline_a_wait_ends_without_being_done(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    struct question question;
    wait_begin(&f, &question, 0);
    assert_int_equal(stored_waits_wake_ms(&f.waits), 1000);
    stored_waits_settle(&f.waits, 999);
    assert_int_equal(f.answered, 0);
    stored_waits_settle(&f.waits, 1000);
    assert_true(f.answered == 1 && !question.done);
    fixture_fini(&f);
}

static void test_a_name_that_the_worker_never_counted_is_never_stored(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    struct question question = {.deadline_ms = 10, .mark = tally_mark(f.tally, 0, SLICE("n/never"))};
    stored_waits_push(&f.waits, &question);
    stored_waits_settle(&f.waits, 10);
    assert_true(f.answered == 1 && !question.done);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wait_ends_when_its_own_hit_is_stored_and_not_before),
        cmocka_unit_test(test_at_its_deadline_a_wait_ends_without_being_done),
        cmocka_unit_test(test_a_name_that_the_worker_never_counted_is_never_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
