/* How a stream goes on, waits for its reader, and ends. */

#include "support/conns_fixture.h"

static int streams_over;

static enum handler_result answer_by_stream(void *ctx, const struct http_request *r, struct reply *reply)
{
    struct fixture *f = ctx;
    if (!slice_equals(r->path, SLICE("/stream")))
        return handle(ctx, r, reply);
    f->ticket = reply->ticket;
    buf_append_slice(reply->out, SLICE("head;"));
    reply->waiting = &streams_over;
    return STREAMING;
}

static void stream_over(void *ctx, void *stream)
{
    (void)ctx;
    assert_ptr_equal(stream, &streams_over);
    streams_over++;
}

static void drain_streams(void *ctx)
{
    struct fixture *f = ctx;
    struct buf *out = conns_stream(&f->cs, f->ticket);
    if (out)
        buf_append_slice(out, SLICE("bye;"));
    conns_stream_end(&f->cs, f->ticket);
}

static struct fixture *begin(void **state)
{
    struct fixture *f = *state;
    f->cs.handler.handle = answer_by_stream;
    f->cs.handler.stream_ended = stream_over;
    f->cs.handler.draining = drain_streams;
    streams_over = 0;
    accept_slot(f, 0);
    receive(f, 0, GET("/stream"));
    batch_end(f);
    return f;
}

static void say(struct fixture *f, const char *text)
{
    struct buf *out = conns_stream(&f->cs, f->ticket);
    assert_non_null(out);
    buf_append(out, text, strlen(text));
    batch_end(f);
}

static void test_a_stream_goes_on_as_its_handler_likes(void **state)
{
    struct fixture *f = begin(state);
    take(f, 0);
    say(f, "one;");
    take(f, 0);
    pass(f, 3600 * 1000);
    say(f, "two;");
    take(f, 0);
    assert_wire(f, 0, "head;one;two;");
    assert_int_equal(f->slots[0].closes, 0);
    assert_int_equal(streams_over, 0);
}

static void test_a_stream_whose_reader_is_slow_is_not_written_and_ends_in_time(void **state)
{
    struct fixture *f = begin(state);
    assert_null(conns_stream(&f->cs, f->ticket));
    take(f, 0);
    say(f, "one;");
    assert_null(conns_stream(&f->cs, f->ticket));
    pass(f, 14000);
    assert_int_equal(f->slots[0].closes, 0);
    pass(f, 7000);
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(f->cs.stats.timeouts_send, 1);
    assert_int_equal(streams_over, 1);
    assert_null(conns_stream(&f->cs, f->ticket));
}

static void test_a_client_that_leaves_ends_its_stream(void **state)
{
    struct fixture *f = begin(state);
    fin(f, 0);
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(streams_over, 1);
}

static void test_what_a_client_sends_into_its_stream_is_dropped(void **state)
{
    struct fixture *f = begin(state);
    take(f, 0);
    for (int i = 0; i < 100; i++)
        receive(f, 0, GET("/a"));
    assert_int_equal(f->handled, 0);
    assert_int_equal(f->slots[0].pauses, 0);
    assert_int_equal(f->cs.conns[0].carry.capacity, 0);
    say(f, "one;");
    take(f, 0);
    assert_wire(f, 0, "head;one;");
}

static void test_a_request_behind_that_of_a_stream_is_not_answered(void **state)
{
    struct fixture *f = begin(state);
    accept_slot(f, 1);
    receive(f, 1, GET("/a") GET("/stream") GET("/b"));
    batch_end(f);
    take(f, 1);
    assert_wire(f, 1, "</a>head;");
    assert_int_equal(f->handled, 1);
}

static void test_a_stream_that_its_handler_ends_is_closed_behind_its_last_word(void **state)
{
    struct fixture *f = begin(state);
    take(f, 0);
    struct buf *out = conns_stream(&f->cs, f->ticket);
    buf_append_slice(out, SLICE("last;"));
    conns_stream_end(&f->cs, f->ticket);
    assert_null(conns_stream(&f->cs, f->ticket));
    batch_end(f);
    assert_int_equal(f->slots[0].shutdowns, 0);
    take(f, 0);
    assert_wire(f, 0, "head;last;");
    assert_int_equal(f->slots[0].shutdowns, 1);
    fin(f, 0);
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(streams_over, 0);
}

static void test_a_stream_ends_with_the_drain(void **state)
{
    struct fixture *f = begin(state);
    take(f, 0);
    conns_drain(&f->cs);
    batch_end(f);
    take(f, 0);
    assert_wire(f, 0, "head;bye;");
    assert_int_equal(f->slots[0].shutdowns, 1);
}

static void test_a_ticket_of_a_stream_that_is_over_reaches_nobody(void **state)
{
    struct fixture *f = begin(state);
    struct ticket old = f->ticket;
    take(f, 0);
    fin(f, 0);
    closed(f, 0);
    accept_slot(f, 0);
    receive(f, 0, GET("/stream"));
    batch_end(f);
    assert_null(conns_stream(&f->cs, old));
    conns_stream_end(&f->cs, old);
    assert_int_equal(f->slots[0].shutdowns, 0);
}

static void test_a_stream_does_not_give_way_to_new_connections(void **state)
{
    struct fixture *f = begin(state);
    take(f, 0);
    f->cs.room.spare = 1;
    pass(f, 5000);
    for (uint32_t slot = 1; slot < MAX; slot++)
        accept_slot(f, slot);
    pass(f, 500);
    assert_int_equal(f->slots[0].closes, 0);
    int closed_others = 0;
    for (uint32_t slot = 1; slot < MAX; slot++)
        closed_others += f->slots[slot].closes;
    assert_int_equal(closed_others, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_stream_goes_on_as_its_handler_likes),
        TEST(test_a_stream_whose_reader_is_slow_is_not_written_and_ends_in_time),
        TEST(test_a_client_that_leaves_ends_its_stream),
        TEST(test_what_a_client_sends_into_its_stream_is_dropped),
        TEST(test_a_request_behind_that_of_a_stream_is_not_answered),
        TEST(test_a_stream_that_its_handler_ends_is_closed_behind_its_last_word),
        TEST(test_a_stream_ends_with_the_drain),
        TEST(test_a_ticket_of_a_stream_that_is_over_reaches_nobody),
        TEST(test_a_stream_does_not_give_way_to_new_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
