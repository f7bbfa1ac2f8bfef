/* The connections above a fake engine: what it is told is scripted, what it is asked to do is recorded. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/engine_ops.h"
#include "net/conns.h"

#define MAX 8

struct fake_slot {
    struct buf wire; /* what went out, once sent() was given */
    const char *data;
    size_t bytes;
    int sends, closes, shutdowns, pauses, resumes;
};

struct fixture {
    struct engine engine;
    struct fake_slot slots[MAX];
    struct conns cs;
    bool accept_stopped;
    int waits; /* how many requests shall wait */
    int handled, forgotten, refused_status;
    char bodies[64]; /* of all requests, one after the other */
    struct ticket ticket;
    bool expired;
};

static struct fixture *fixture_of(struct engine *e) { return (struct fixture *)e; }

static void fake_send(struct engine *e, uint32_t slot, const void *data, size_t bytes)
{
    struct fake_slot *s = &fixture_of(e)->slots[slot];
    assert_null(s->data);
    s->data = data;
    s->bytes = bytes;
    s->sends++;
}
static void fake_pause(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].pauses++; }
static void fake_resume(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].resumes++; }
static void fake_shutdown(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].shutdowns++; }
static void fake_close(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].closes++; }
static void fake_accept_stop(struct engine *e) { fixture_of(e)->accept_stopped = true; }

static const struct engine_ops fake_ops = {
    .name = "fake",
    .send = fake_send,
    .recv_pause = fake_pause,
    .recv_resume = fake_resume,
    .shutdown = fake_shutdown,
    .close = fake_close,
    .accept_stop = fake_accept_stop,
};

static bool wants_body(void *ctx, const struct http_request *r)
{
    (void)ctx;
    return slice_equals(r->path, SLICE("/wanted"));
}

static enum handler_result handle(void *ctx, const struct http_request *r, struct reply *reply)
{
    struct fixture *f = ctx;
    f->ticket = reply->ticket;
    f->expired = reply->expired;
    if (f->waits > 0) {
        f->waits--;
        reply->waiting = f;
        reply->wait_ms = 500;
        return WAITING;
    }
    f->handled++;
    strncat(f->bodies, r->body.at ? r->body.at : "", r->body.bytes);
    if (slice_equals(r->path, SLICE("/big")))
        for (int i = 0; i < 1000; i++)
            buf_append_slice(reply->out, SLICE("0123456789"));
    buf_append(reply->out, "<", 1);
    buf_append_slice(reply->out, r->path);
    if (reply->close)
        buf_append(reply->out, "!", 1);
    buf_append(reply->out, ">", 1);
    return HANDLED;
}

static void forget(void *ctx, void *waiting)
{
    struct fixture *f = ctx;
    assert_ptr_equal(waiting, f);
    f->forgotten++;
}

static void refused(void *ctx, int status, const char *reason)
{
    struct fixture *f = ctx;
    assert_non_null(reason);
    f->refused_status = status;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->engine = (struct engine){.ops = &fake_ops, .now_ms = 1000000};
    f->cs.engine = &f->engine;
    f->cs.max = MAX;
    f->cs.limits = http_limits_default;
    f->cs.timeouts = (struct worker_timeouts){10000, 10000, 15000, 75000, 2000};
    f->cs.handler =
        (struct handler){.wants_body = wants_body, .handle = handle, .forget = forget, .refused = refused, .ctx = f};
    assert_int_equal(conns_init(&f->cs, f->engine.now_ms), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    conns_fini(&f->cs);
    for (int i = 0; i < MAX; i++)
        buf_fini(&f->slots[i].wire);
    free(f);
    return 0;
}

/* ---- the script's words ---- */

static void accept_slot(struct fixture *f, uint32_t slot) { conns_events.accepted(&f->cs, slot); }
static void batch_end(struct fixture *f) { conns_events.batch_end(&f->cs); }

static void receive(struct fixture *f, uint32_t slot, const char *text)
{
    /* A copy that ends where the bytes do: reading on is an error that ASan sees. */
    size_t bytes = strlen(text);
    char *copy = malloc(bytes);
    memcpy(copy, text, bytes);
    conns_events.received(&f->cs, slot, copy, bytes);
    free(copy);
}

static void fin(struct fixture *f, uint32_t slot) { conns_events.received(&f->cs, slot, NULL, 0); }

/* The peer takes what was sent. */
static bool take(struct fixture *f, uint32_t slot)
{
    struct fake_slot *s = &f->slots[slot];
    if (!s->data)
        return false;
    buf_append(&s->wire, s->data, s->bytes);
    s->data = NULL;
    conns_events.sent(&f->cs, slot, 0);
    batch_end(f);
    return true;
}

static void closed(struct fixture *f, uint32_t slot) { conns_events.closed(&f->cs, slot); }

static void pass(struct fixture *f, uint64_t ms)
{
    for (uint64_t end = f->engine.now_ms + ms; f->engine.now_ms < end;) {
        f->engine.now_ms += 100;
        conns_events.tick(&f->cs, f->engine.now_ms);
        batch_end(f);
    }
}

static void assert_wire(struct fixture *f, uint32_t slot, const char *expected)
{
    struct buf *wire = &f->slots[slot].wire;
    assert_int_equal(wire->bytes, strlen(expected));
    assert_memory_equal(wire->data ? wire->data : "", expected, wire->bytes);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* ---- */

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
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_pipelined_requests_are_answered_in_order_with_one_send),
        TEST(test_a_request_cut_at_any_byte_is_answered_once),
        TEST(test_two_connections_may_both_hold_half_a_head),
        TEST(test_an_unwanted_body_is_read_and_dropped),
        TEST(test_connection_close_ends_it_after_the_answer_is_out),
        TEST(test_a_bad_request_is_answered_then_lingers_then_closes),
        TEST(test_fin_in_the_middle_of_a_request_closes),
        TEST(test_fin_behind_requests_still_gets_their_answers),
        TEST(test_a_peer_that_does_not_read_is_not_read),
        TEST(test_a_waiting_request_holds_those_behind_it),
        TEST(test_a_waiting_request_that_nobody_resumes_is_asked_again),
        TEST(test_a_stale_ticket_is_ignored),
        TEST(test_deadlines_end_slow_heads_bodies_and_idle_connections),
        TEST(test_traffic_keeps_a_connection_alive),
        TEST(test_draining_answers_what_comes_with_close_and_then_ends_the_idle),
        TEST(test_expect_continue_is_answered_before_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
