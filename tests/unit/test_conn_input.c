/* From bytes to requests, and to answers in their order. */

#include "support/conns_fixture.h"

static void test_pipelined_requests_are_answered_in_order_with_one_send(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 3);
    receive(f, 3, GET("/a") GET("/b") GET("/c"));
    assert_int_equal(f->slots[3].sends, 0);
    batch_end(f);
    assert_int_equal(f->slots[3].sends, 1);
    take(f, 3);
    assert_wire(f, 3, "</a></b></c>");
}

static void test_a_request_cut_at_any_byte_is_answered_once(void **state)
{
    struct fixture *f = *state;
    const char *text =
        "POST /wanted HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n" GET(
            "/z");
    for (size_t cut = 1; cut < strlen(text); cut++) {
        char first[256] = {0};
        memcpy(first, text, cut);
        f->bodies[0] = 0;
        accept_slot(f, 0);
        receive(f, 0, first);
        batch_end(f);
        receive(f, 0, text + cut);
        batch_end(f);
        while (take(f, 0))
            ;
        assert_wire(f, 0, "</wanted></z>");
        assert_string_equal(f->bodies, "abcde");
        buf_clear(&f->slots[0].wire);
        fin(f, 0);
        closed(f, 0);
    }
}

static void test_two_connections_may_both_hold_half_a_head(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    accept_slot(f, 1);
    receive(f, 0, "GET /first HTTP/1.1\r\nHo");
    receive(f, 1, "GET /second HTTP/1.1\r\nHost: h\r\nX");
    receive(f, 0, "st: h\r\n\r\n");
    receive(f, 1, ": y\r\n\r\n");
    batch_end(f);
    take(f, 0);
    take(f, 1);
    assert_wire(f, 0, "</first>");
    assert_wire(f, 1, "</second>");
}

static void test_an_unwanted_body_is_read_and_dropped(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    receive(f, 0, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    receive(f, 0, "cde" GET("/y"));
    batch_end(f);
    take(f, 0);
    assert_wire(f, 0, "</x></y>");
    assert_string_equal(f->bodies, "");
}

static void test_a_bad_request_is_answered_then_lingers_then_closes(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    receive(f, 0, GET("/a") "BAD\r\n\r\n" GET("/never"));
    batch_end(f);
    take(f, 0);
    assert_int_equal(f->refused_status, 400);
    assert_int_equal(f->handled, 1);
    assert_int_equal(f->slots[0].shutdowns, 1);
    assert_int_equal(f->slots[0].closes, 0);
    receive(f, 0, GET("/never"));
    pass(f, 2500);
    assert_int_equal(f->handled, 1);
    assert_int_equal(f->slots[0].closes, 1);
}

static void test_a_waiting_request_holds_those_behind_it(void **state)
{
    struct fixture *f = *state;
    f->waits = 1;
    accept_slot(f, 0);
    receive(f, 0, GET("/slow") GET("/fast"));
    batch_end(f);
    assert_int_equal(f->handled, 0);
    conns_resume(&f->cs, f->ticket);
    batch_end(f);
    while (take(f, 0))
        ;
    assert_wire(f, 0, "</slow></fast>");
    assert_false(f->expired);
}

static void test_expect_continue_is_answered_before_the_body(void **state)
{
    struct fixture *f = *state;
    accept_slot(f, 0);
    receive(f, 0, "POST /wanted HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    batch_end(f);
    take(f, 0);
    receive(f, 0, "ab");
    batch_end(f);
    take(f, 0);
    assert_wire(f, 0, "HTTP/1.1 100 Continue\r\n\r\n</wanted>");
    assert_string_equal(f->bodies, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pipelined_requests_are_answered_in_order_with_one_send),
        TEST(test_a_request_cut_at_any_byte_is_answered_once),
        TEST(test_two_connections_may_both_hold_half_a_head),
        TEST(test_an_unwanted_body_is_read_and_dropped),
        TEST(test_a_bad_request_is_answered_then_lingers_then_closes),
        TEST(test_a_waiting_request_holds_those_behind_it),
        TEST(test_expect_continue_is_answered_before_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
