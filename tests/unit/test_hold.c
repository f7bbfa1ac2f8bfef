/* What connections hold, and who gives way at the end of the budget. */

#include "net/hold.h"
#include "support/conns_fixture.h"

#define KIB UINT64_C(1024)

static struct budget budget;

static struct fixture *limited(void **state, uint64_t bytes)
{
    struct fixture *f = *state;
    budget_init(&budget, bytes);
    f->cs.purse.budget = &budget;
    return f;
}

#define POST(bytes) "POST /wanted HTTP/1.1\r\nHost: h\r\nContent-Length: " #bytes "\r\n\r\n"

static void feed(struct fixture *f, uint32_t slot, size_t bytes)
{
    char text[1025];
    for (; bytes > 0; bytes -= bytes < 1024 ? bytes : 1024) {
        size_t n = bytes < 1024 ? bytes : 1024;
        memset(text, 'x', n);
        text[n] = '\0';
        receive(f, slot, text);
    }
}

static void test_a_request_that_comes_whole_holds_nothing(void **state)
{
    struct fixture *f = limited(state, 64 * KIB);
    accept_slot(f, 0);
    receive(f, 0, GET("/a"));
    batch_end(f);
    take(f, 0);
    assert_int_equal(f->cs.conns[0].held, 0);
    assert_int_equal(f->cs.purse.used, OUT_BLOCK_BYTES); /* in the pool */
}

static void test_what_is_held_is_given_back_when_the_request_is_whole(void **state)
{
    struct fixture *f = limited(state, 256 * KIB);
    accept_slot(f, 0);
    receive(f, 0, POST(20));
    receive(f, 0, "0123456789");
    assert_true(f->cs.conns[0].held > 0);
    assert_int_equal(f->cs.stats.buffer_bytes, f->cs.purse.used);
    receive(f, 0, "0123456789");
    assert_int_equal(f->handled, 1);
    assert_int_equal(f->cs.conns[0].held, 0);
    batch_end(f);
    take(f, 0);
    assert_int_equal(f->cs.stats.buffer_bytes, OUT_BLOCK_BYTES);
}

static void test_a_body_that_no_memory_is_left_for_is_refused(void **state)
{
    struct fixture *f = limited(state, 64 * KIB);
    accept_slot(f, 0);
    receive(f, 0, POST(60000));
    feed(f, 0, 50000);
    batch_end(f);
    take(f, 0);
    assert_int_equal(f->refused_status, 503);
    assert_non_null(strstr(f->slots[0].wire.data, "HTTP/1.1 503 "));
    assert_non_null(strstr(f->slots[0].wire.data, "Retry-After: 1\r\n"));
    assert_int_equal(f->cs.stats.buffer_refused, 1);
    assert_int_equal(f->cs.conns[0].held, 0);
    assert_int_equal(f->handled, 0);
}

static void test_the_longest_idle_gives_way(void **state)
{
    struct fixture *f = limited(state, 128 * KIB);
    for (uint32_t slot = 0; slot < 3; slot++) {
        accept_slot(f, slot);
        receive(f, slot, POST(60000));
        feed(f, slot, slot == 2 ? 10 : 20000);
        pass(f, 300);
    }
    receive(f, 0, "x"); /* it moved: the other is the longest idle now */
    pass(f, HOLD_IDLE_MS - 200);
    feed(f, 2, 40000);
    batch_end(f);
    assert_int_equal(f->cs.stats.buffer_evicted, 1);
    assert_int_equal(f->cs.stats.buffer_refused, 0);
    assert_int_equal(f->cs.conns[0].state, CONN_BODY);
    assert_int_equal(f->cs.conns[1].state, CONN_LAST);
    assert_int_equal(f->cs.conns[2].state, CONN_BODY);
}

static void test_who_moved_a_moment_ago_does_not_give_way(void **state)
{
    struct fixture *f = limited(state, 64 * KIB);
    for (uint32_t slot = 0; slot < 2; slot++) {
        accept_slot(f, slot);
        receive(f, slot, POST(60000));
    }
    feed(f, 0, 20000);
    feed(f, 1, 20000);
    assert_int_equal(f->cs.stats.buffer_evicted, 0);
    assert_int_equal(f->cs.stats.buffer_refused, 1);
    assert_int_equal(f->cs.conns[0].state, CONN_BODY);
}

static void test_a_request_that_waits_is_closed_without_an_answer(void **state)
{
    struct fixture *f = limited(state, 32 * KIB); /* a block, and no more */
    f->waits = 1;
    accept_slot(f, 0);
    receive(f, 0, GET("/slow"));
    batch_end(f);
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(f->forgotten, 1);
}

static void test_an_answer_needs_no_budget(void **state)
{
    struct fixture *f = limited(state, KIB);
    for (uint32_t slot = 0; slot < 4; slot++) {
        accept_slot(f, slot);
        receive(f, slot, GET("/a"));
    }
    batch_end(f);
    for (uint32_t slot = 0; slot < 4; slot++) {
        take(f, slot);
        assert_wire(f, slot, "</a>");
    }
    assert_int_equal(f->cs.purse.used, 0);
    assert_int_equal(f->handled, 4);
}

static void test_a_large_answer_over_the_budget_ends_its_connection(void **state)
{
    struct fixture *f = limited(state, KIB);
    accept_slot(f, 0);
    receive(f, 0, GET("/big"));
    batch_end(f);
    assert_int_equal(f->slots[0].closes, 1);
    assert_int_equal(f->slots[0].sends, 0);
    closed(f, 0);
    assert_int_equal(f->cs.purse.used, 0);
}

static void test_everything_is_given_back_when_connections_end(void **state)
{
    struct fixture *f = limited(state, 512 * KIB);
    for (uint32_t slot = 0; slot < MAX; slot++) {
        accept_slot(f, slot);
        receive(f, slot, POST(60000));
        feed(f, slot, 5000);
    }
    for (uint32_t slot = 0; slot < MAX; slot++) {
        conns_events.failed(&f->cs, slot, -104);
        closed(f, slot);
    }
    assert_int_equal(f->cs.purse.used, 0);
    assert_int_equal(f->cs.stats.buffer_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_that_comes_whole_holds_nothing),
        TEST(test_what_is_held_is_given_back_when_the_request_is_whole),
        TEST(test_a_body_that_no_memory_is_left_for_is_refused),
        TEST(test_the_longest_idle_gives_way),
        TEST(test_who_moved_a_moment_ago_does_not_give_way),
        TEST(test_a_request_that_waits_is_closed_without_an_answer),
        TEST(test_an_answer_needs_no_budget),
        TEST(test_a_large_answer_over_the_budget_ends_its_connection),
        TEST(test_everything_is_given_back_when_connections_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
