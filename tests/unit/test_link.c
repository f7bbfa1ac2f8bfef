#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/link_fixture.h"

static void test_a_link_greets_and_delivers_replies_in_groups(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    assert_int_equal(f.readies, 1);
    assert_int_equal(link_state(f.link), LINK_READY);
    ask(&f, "GET", 3);
    ask(&f, "GET", 2);
    run_ms(&f, 20);
    assert_int_equal(f.replies, 5);
    assert_int_equal(f.last_index, 1);
    assert_int_equal(link_wake_ms(f.link), UINT64_MAX);
    link_fixture_fini(&f);
}

static void test_a_refused_connect_is_tried_again_ever_more_slowly(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    f.redis.open_error = -ECONNREFUSED;
    run_ms(&f, 1000);
    assert_int_equal(f.downs, 5); /* without jitter after 0, 50, 150, 350 and 750 ms */
    assert_int_equal(link_reason_code(f.link), -ECONNREFUSED);
    run_ms(&f, 60000);
    int before = f.downs;
    run_ms(&f, 10000);
    assert_in_range(f.downs - before, 3, 5); /* 2.5 s at the least, at the ceiling */
    f.redis.open_error = 0;
    run_ms(&f, 5000);
    assert_int_equal(f.readies, 1);
    link_fixture_fini(&f);
}

static void test_after_a_link_proved_itself_the_next_attempt_comes_soon(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    f.redis.open_error = -ECONNREFUSED;
    run_ms(&f, 60000);
    f.redis.open_error = 0;
    run_ms(&f, 20000);
    assert_int_equal(f.readies, 1);
    link_proved(f.link);
    fake_restart(&f.redis);
    run_ms(&f, 200);
    assert_int_equal(f.readies, 2);
    link_fixture_fini(&f);
}

static void test_a_server_that_drops_every_connection_is_not_hammered(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    for (int i = 0; i < 6000; i++) {
        run_ms(&f, 10);
        fake_restart(&f.redis);
    }
    assert_in_range(f.downs, 10, 40); /* in a minute */
    link_fixture_fini(&f);
}

static void test_a_mute_server_runs_into_the_deadline_of_the_greeting(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    f.redis.mute = true;
    run_ms(&f, 4900);
    assert_int_equal(f.downs, 0);
    run_ms(&f, 200);
    assert_int_equal(f.downs, 1);
    assert_int_equal(link_reason_code(f.link), -ETIMEDOUT);
    link_fixture_fini(&f);
}

static void test_a_reply_that_does_not_come_ends_the_connection(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    f.redis.mute = true;
    ask(&f, "GET", 2);
    assert_true(link_wake_ms(f.link) <= f.now_ms + 5000);
    run_ms(&f, 5100);
    assert_int_equal(f.downs, 1);
    assert_int_equal(f.replies, 0);
    link_fixture_fini(&f);
}

static void test_bytes_push_the_deadline_on_but_not_beyond_its_ceiling(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    f.redis.mute = true;
    ask(&f, "GET", 1);
    say(&f, "$40\r\n");
    for (int i = 0; i < 7; i++) {
        assert_int_equal(f.downs, 0);
        say(&f, "x");
        run_ms(&f, 4200);
    }
    run_ms(&f, 700);
    assert_int_equal(f.downs, 1); /* after 30 s, though a byte came 1 s ago */
    assert_int_equal(link_reason_code(f.link), -ETIMEDOUT);
    link_fixture_fini(&f);
}

static void test_garbage_and_unasked_replies_end_the_connection(void **state)
{
    static const char *const bad[] = {"HTTP/1.1 200 OK\r\n", "+OK\r\n", "$99999\r\n", "*9999999\r\n"};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        struct fixture f;
        link_fixture_init(&f, NULL);
        run_ms(&f, 20);
        say(&f, bad[i]);
        run_ms(&f, 20);
        if (i == 2) /* a long string: only what is buffered counts, until the deadline or the limit */
            assert_int_equal(f.downs, 0);
        else
            assert_int_equal(link_reason_code(f.link), -EPROTO);
        link_fixture_fini(&f);
    }
}

static void test_a_user_may_end_the_connection_and_hears_of_it_once(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    ask(&f, "GET", 1);
    link_fail(f.link, -EACCES, "first");
    link_fail(f.link, -EPROTO, "second");
    assert_int_equal(link_wake_ms(f.link), 0);
    link_tick(f.link, f.now_ms);
    assert_int_equal(f.downs, 1);
    assert_int_equal(f.replies, 0);
    assert_string_equal(link_reason(f.link), "first");
    link_fixture_fini(&f);
}

static void test_a_wrong_password_is_told_without_the_password(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, "hunter2");
    f.redis.model.password = "other";
    run_ms(&f, 20);
    assert_int_equal(f.refused, 1);
    assert_int_equal(f.error, REDIS_ERROR_WRONGPASS);
    assert_null(strstr(link_reason(f.link), "hunter2"));
    f.redis.model.password = "hunter2";
    run_ms(&f, 1000);
    assert_int_equal(f.readies, 1);
    link_fixture_fini(&f);
}

static void test_a_link_that_is_closed_while_nothing_is_due_comes_back_soon_and_calmly(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    for (int i = 1; i <= 20; i++) { /* a server with `timeout 2` */
        run_ms(&f, 2000);
        fake_restart(&f.redis);
        run_ms(&f, 20);
        assert_int_equal(f.downs, i);
        assert_true(link_ended_idle(f.link));
        run_ms(&f, 100);
        assert_int_equal(link_state(f.link), LINK_READY);
    }
    f.redis.mute = true;
    run_ms(&f, 2000);
    ask(&f, "GET", 1);
    run_ms(&f, 20);
    fake_restart(&f.redis);
    run_ms(&f, 20);
    assert_int_equal(f.downs, 21);
    assert_false(link_ended_idle(f.link)); /* a reply was due */
    link_fixture_fini(&f);
}

static void test_a_link_that_is_closed_at_once_is_not_idle(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    fake_restart(&f.redis);
    run_ms(&f, 20);
    assert_int_equal(f.downs, 1);
    assert_false(link_ended_idle(f.link));
    link_fixture_fini(&f);
}

static void test_an_evicting_server_is_reported(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    f.redis.model.policy = "allkeys-lru";
    run_ms(&f, 20);
    assert_int_equal(f.readies, 1);
    assert_string_equal(f.policy, "allkeys-lru");
    link_fixture_fini(&f);
}

static void test_a_server_that_refuses_with_its_first_word_is_told_in_its_words(void **state)
{
    static const struct {
        const char *text, *command, *words;
        enum redis_error_class c;
    } cases[] = {
        {"-DENIED Redis is running in protected mode", "client|setname", "DENIED Redis is running in protected mode",
         REDIS_ERROR_PROTECTED},
        {"-ERR max number of clients reached", "client|setname", "ERR max number of clients reached",
         REDIS_ERROR_MAX_CLIENTS},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        link_fixture_init(&f, NULL);
        fake_rule(&f.redis, (struct fake_rule){"CLIENT", "", cases[i].text});
        run_ms(&f, 20);
        assert_int_equal(f.refused, 1);
        assert_int_equal(f.error, cases[i].c);
        assert_string_equal(f.command, cases[i].command);
        assert_string_equal(f.words, cases[i].words);
        assert_int_equal(link_reason_code(f.link), -EKEYREJECTED);
        link_fixture_fini(&f);
    }
}

static void test_words_that_repeat_the_password_are_not_told(void **state)
{
    struct fixture f;
    (void)state;

    link_fixture_init(&f, "hunter2");
    f.redis.model.password = "hunter2";
    fake_rule(&f.redis, (struct fake_rule){"AUTH", "", "-ERR whoever says Hunter2 may not"});
    run_ms(&f, 20);
    assert_int_equal(f.refused, 1);
    assert_string_equal(f.command, "auth");
    assert_string_equal(f.words, "");
    link_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_link_greets_and_delivers_replies_in_groups),
        cmocka_unit_test(test_a_refused_connect_is_tried_again_ever_more_slowly),
        cmocka_unit_test(test_after_a_link_proved_itself_the_next_attempt_comes_soon),
        cmocka_unit_test(test_a_server_that_drops_every_connection_is_not_hammered),
        cmocka_unit_test(test_a_mute_server_runs_into_the_deadline_of_the_greeting),
        cmocka_unit_test(test_a_reply_that_does_not_come_ends_the_connection),
        cmocka_unit_test(test_bytes_push_the_deadline_on_but_not_beyond_its_ceiling),
        cmocka_unit_test(test_garbage_and_unasked_replies_end_the_connection),
        cmocka_unit_test(test_a_user_may_end_the_connection_and_hears_of_it_once),
        cmocka_unit_test(test_a_wrong_password_is_told_without_the_password),
        cmocka_unit_test(test_a_link_that_is_closed_while_nothing_is_due_comes_back_soon_and_calmly),
        cmocka_unit_test(test_a_link_that_is_closed_at_once_is_not_idle),
        cmocka_unit_test(test_an_evicting_server_is_reported),
        cmocka_unit_test(test_a_server_that_refuses_with_its_first_word_is_told_in_its_words),
        cmocka_unit_test(test_words_that_repeat_the_password_are_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
