#include "flush/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>

struct fixture {
    struct mailbox *mailbox;
    bool connected;
    uint32_t woken[2];
};

static void wake(void *ctx, uint32_t worker)
{
    struct fixture *f = ctx;

    f->woken[worker]++;
}

static void fixture_init(struct fixture *f)
{
    struct error err;

    *f = (struct fixture){0};
    const struct mailbox_config config = {.workers = 2, .connected = &f->connected, .wake_worker = wake, .wake_ctx = f};
    assert_int_equal(mailbox_create(&f->mailbox, &config, &err), 0);
}

static bool flusher_is_woken(const struct fixture *f)
{
    struct pollfd fd = {.fd = mailbox_fd(f->mailbox), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void test_a_question_goes_and_its_answer_comes_back_to_the_worker_that_asked(void **state)
{
    struct fixture f;
    struct question first = {.worker = 1}, second = {.worker = 1}, *question;
    (void)state;

    fixture_init(&f);
    assert_true(mailbox_ask(f.mailbox, &first));
    assert_true(mailbox_ask(f.mailbox, &second));
    assert_false(mailbox_take(f.mailbox, 0, &question));
    assert_true(mailbox_take(f.mailbox, 1, &question));
    assert_ptr_equal(question, &first);
    assert_false(mailbox_answer(f.mailbox, 1, &question));
    mailbox_return(f.mailbox, &first);
    assert_false(mailbox_answer(f.mailbox, 0, &question));
    assert_true(mailbox_answer(f.mailbox, 1, &question));
    assert_ptr_equal(question, &first);
    mailbox_destroy(f.mailbox);
}

static void test_each_side_is_woken_once_for_all_that_waits_for_it(void **state)
{
    struct fixture f;
    struct question first = {.worker = 1}, second = {.worker = 1};
    (void)state;

    fixture_init(&f);
    assert_false(flusher_is_woken(&f));
    mailbox_ask(f.mailbox, &first);
    mailbox_ask(f.mailbox, &second);
    assert_true(flusher_is_woken(&f));
    mailbox_woken(f.mailbox);
    assert_false(flusher_is_woken(&f));
    mailbox_return(f.mailbox, &first);
    mailbox_return(f.mailbox, &second);
    assert_int_equal(f.woken[1], 0);
    mailbox_wake_workers(f.mailbox);
    mailbox_wake_workers(f.mailbox);
    assert_int_equal(f.woken[0], 0);
    assert_int_equal(f.woken[1], 1);
    mailbox_destroy(f.mailbox);
}

static void test_a_worker_with_too_many_questions_under_way_keeps_the_next_one(void **state)
{
    static struct question ops[MAILBOX_UNDER_WAY_MAX + 1];
    struct fixture f;
    struct question *question;
    (void)state;

    fixture_init(&f);
    for (int i = 0; i < MAILBOX_UNDER_WAY_MAX; i++)
        assert_true(mailbox_ask(f.mailbox, &ops[i]));
    assert_false(mailbox_ask(f.mailbox, &ops[MAILBOX_UNDER_WAY_MAX]));
    /* Those that the flusher has are under way as well: each of them must find room on its way back. */
    while (mailbox_take(f.mailbox, 0, &question))
        mailbox_return(f.mailbox, question);
    assert_false(mailbox_ask(f.mailbox, &ops[MAILBOX_UNDER_WAY_MAX]));
    assert_true(mailbox_answer(f.mailbox, 0, &question));
    assert_true(mailbox_ask(f.mailbox, &ops[MAILBOX_UNDER_WAY_MAX]));
    mailbox_destroy(f.mailbox);
}

static void test_it_tells_whether_the_store_is_reached(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    assert_false(mailbox_is_connected(f.mailbox));
    f.connected = true;
    assert_true(mailbox_is_connected(f.mailbox));
    mailbox_destroy(f.mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_question_goes_and_its_answer_comes_back_to_the_worker_that_asked),
        cmocka_unit_test(test_each_side_is_woken_once_for_all_that_waits_for_it),
        cmocka_unit_test(test_a_worker_with_too_many_questions_under_way_keeps_the_next_one),
        cmocka_unit_test(test_it_tells_whether_the_store_is_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
