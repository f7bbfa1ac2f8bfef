/* How connections wait, slow down, time out and end. */

#include "support/conns_fixture.h"

static void test_connection_close_ends_it_after_the_answer_is_out(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    receive(f, 0, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    batch_end(f);
    assert_int_equal(f->slots[0].closes, 0);
    take(f, 0);
    assert_wire(f, 0, "</a!>");
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(f->slots[0].shutdowns, 0);
}

static void test_fin_in_the_middle_of_a_request_closes(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    receive(f, 0, "GET /a HT");
    fin(f, 0);
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(f->handled, 0);
}

static void test_fin_behind_requests_still_gets_their_answers(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    receive(f, 0, GET("/a") GET("/b"));
    fin(f, 0);
    assert_int_equal(f->slots[0].closes, 0);
    batch_end(f);
    take(f, 0);
    assert_wire(f, 0, "</a></b>");
    assert_int_equal(f->slots[0].closes, 1);
}

static void test_a_peer_that_does_not_read_is_not_read(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    for (int i = 0; i < 20; i++)
        receive(f, 0, GET("/big"));
    batch_end(f);
    assert_int_equal(f->slots[0].sends, 1);
    assert_int_equal(f->slots[0].pauses, 1);
    assert_true(f->handled < 20);
    while (take(f, 0))
        ;
    assert_int_equal(f->handled, 20);
    assert_int_equal(f->slots[0].resumes, 1);
    assert_int_equal(f->slots[0].wire.bytes, 20 * (10000 + strlen("</big>")));
}

static void test_a_waiting_request_that_nobody_resumes_is_asked_again(void **state)
{
    struct fixture *f = *state;
    f->waits = 1;
    accept_slot(f, 0);
    receive(f, 0, GET("/slow"));
    pass(f, 300);
    assert_int_equal(f->handled, 0);
    pass(f, 500);
    assert_int_equal(f->handled, 1);
    assert_true(f->expired);
}

static uint64_t timed(const struct fixture *f)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum += f->cs.stats.request_time.counts[i];
    return sum;
}

static void test_each_request_is_timed_once_also_one_that_waits(void **state)
{
    struct fixture *f = *state;
    f->waits = 1;
    accept_slot(f, 0);
    accept_slot(f, 1);
    f->engine.now_us = 1000;
    receive(f, 0, GET("/slow"));
    struct ticket slow = f->ticket;
    receive(f, 1, GET("/a") GET("/b"));
    batch_end(f);
    assert_int_equal(timed(f), 2);
    batch_end(f);
    assert_int_equal(timed(f), 2);
    f->engine.now_us = 1000 + 700;
    conns_resume(&f->cs, slow);
    batch_end(f);
    assert_int_equal(timed(f), 3);
    assert_int_equal(f->cs.stats.request_time.counts[4], 1); /* 0.5 to 1 ms */
}

static void test_a_stale_ticket_is_ignored(void **state)
{
    struct fixture *f = *state;
    f->waits = 1;
    accept_slot(f, 0);
    receive(f, 0, GET("/slow"));
    struct ticket old = f->ticket;
    conns_events.failed(&f->cs, 0, -104);
    assert_int_equal(f->forgotten, 1);
    closed(f, 0);
    f->waits = 1;
    accept_slot(f, 0);
    receive(f, 0, GET("/other"));
    conns_resume(&f->cs, old);
    assert_int_equal(f->handled, 0);
    conns_resume(&f->cs, f->ticket);
    assert_int_equal(f->handled, 1);
}

static void test_deadlines_end_slow_heads_bodies_and_idle_connections(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 0; i < 4; i++)
        accept_slot(f, i);
    receive(f, 0, "GET /slow");
    receive(f, 1, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    receive(f, 2, GET("/unread"));
    batch_end(f);
    pass(f, 9000);
    assert_int_equal(f->cs.stats.timeouts_head + f->cs.stats.timeouts_body, 0);
    pass(f, 1500);
    assert_int_equal(f->cs.stats.timeouts_head, 1);
    assert_int_equal(f->cs.stats.timeouts_body, 1);
    assert_int_equal(f->refused_status, 408);
    pass(f, 5000);
    assert_int_equal(f->cs.stats.timeouts_send, 1);
    assert_int_equal(f->slots[2].closes, 1);
    assert_int_equal(f->slots[3].closes, 0);
    pass(f, 60500);
    assert_int_equal(f->cs.stats.timeouts_idle, 1);
    assert_int_equal(f->slots[3].closes, 1);
}

static void test_traffic_keeps_a_connection_alive(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    for (int i = 0; i < 5; i++) {
        pass(f, 70000);
        receive(f, 0, GET("/a"));
        batch_end(f);
        take(f, 0);
    }
    assert_int_equal(f->slots[0].closes, 0);
    assert_int_equal(f->handled, 5);
}

static void test_draining_answers_what_comes_with_close_and_then_ends_the_idle(void **state)
{
    struct fixture *f = *state;
    f->engine.wake_fd = -1;
    accept_slot(f, 0);
    accept_slot(f, 1);
    conns_drain(&f->cs);
    assert_true(f->accept_stopped);
    assert_int_equal(f->slots[0].closes, 0);
    receive(f, 0, GET("/late"));
    batch_end(f);
    take(f, 0);
    assert_wire(f, 0, "</late!>");
    pass(f, 1500);
    assert_int_equal(f->slots[1].closes, 1);
    conns_events.accept_ended(&f->cs);
    fin(f, 0);
    closed(f, 0);
    assert_false(f->engine.stopping);
    closed(f, 1);
    assert_true(f->engine.stopping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_connection_close_ends_it_after_the_answer_is_out),
        TEST(test_fin_in_the_middle_of_a_request_closes),
        TEST(test_fin_behind_requests_still_gets_their_answers),
        TEST(test_a_peer_that_does_not_read_is_not_read),
        TEST(test_a_waiting_request_that_nobody_resumes_is_asked_again),
        TEST(test_each_request_is_timed_once_also_one_that_waits),
        TEST(test_a_stale_ticket_is_ignored),
        TEST(test_deadlines_end_slow_heads_bodies_and_idle_connections),
        TEST(test_traffic_keeps_a_connection_alive),
        TEST(test_draining_answers_what_comes_with_close_and_then_ends_the_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
