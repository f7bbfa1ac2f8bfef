#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "protocol/command.h"
#include "redis/resp.h"

static const struct resp_limits small = {.nodes_max = 16, .text_bytes_max = 64};

static struct resp_reader *reader_new(void)
{
    struct resp_reader *r;

    assert_int_equal(resp_create(&r, &small), 0);
    return r;
}

static int feed(struct resp_reader *r, const char *bytes, const struct reply **reply)
{
    assert_int_equal(resp_feed(r, bytes, strlen(bytes)), 0);
    return resp_next(r, reply);
}

static void test_a_command_is_an_array_of_bulk_strings(void **state)
{
    struct buf out = {0};
    (void)state;

    command_append(&out, 3, (struct slice[]){SLICE("INCRBY"), {"a\r\nb\0c", 6}, SLICE("-5")});
    static const char wanted[] = "*3\r\n$6\r\nINCRBY\r\n$6\r\na\r\nb\0c\r\n$2\r\n-5\r\n";
    assert_int_equal(out.bytes, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.bytes);
    buf_fini(&out);
}

static void test_each_type_of_reply_is_understood(void **state)
{
    struct resp_reader *r = reader_new();
    const struct reply *reply;
    (void)state;

    assert_int_equal(feed(r, "+OK\r\n-ERR no\r\n:-42\r\n$3\r\nabc\r\n$-1\r\n*-1\r\n*0\r\n", &reply), 1);
    assert_true(reply_is_status(reply, SLICE("OK")));
    assert_int_equal(resp_next(r, &reply), 1);
    assert_int_equal(reply->type, REPLY_ERROR);
    assert_memory_equal(reply->text.at, "ERR no", 6);
    assert_int_equal(resp_next(r, &reply), 1);
    assert_int_equal(reply->type, REPLY_INTEGER);
    assert_int_equal(reply->integer, -42);
    assert_int_equal(resp_next(r, &reply), 1);
    assert_int_equal(reply->type, REPLY_STRING);
    assert_true(slice_equals(reply->text, SLICE("abc")));
    assert_int_equal(resp_next(r, &reply), 1);
    assert_int_equal(reply->type, REPLY_NIL);
    assert_int_equal(resp_next(r, &reply), 1);
    assert_int_equal(reply->type, REPLY_NIL);
    assert_int_equal(resp_next(r, &reply), 1);
    assert_int_equal(reply->type, REPLY_ARRAY);
    assert_int_equal(reply->items_count, 0);
    assert_int_equal(resp_next(r, &reply), 0);
    resp_destroy(r);
}

#define NEST4 "*1\r\n*1\r\n*1\r\n*1\r\n"

/* *4: 1, [2, [x]], error, 9 */
#define NESTED "*4\r\n:1\r\n*2\r\n:2\r\n*1\r\n+x\r\n-ERR e\r\n:9\r\n"

static void assert_nested(const struct reply *reply)
{
    assert_int_equal(reply->type, REPLY_ARRAY);
    assert_int_equal(reply->items_count, 4);
    assert_int_equal(reply->items[0].integer, 1);
    assert_int_equal(reply->items[1].items_count, 2);
    assert_int_equal(reply->items[1].items[0].integer, 2);
    assert_true(reply_is_status(&reply->items[1].items[1].items[0], SLICE("x")));
    assert_int_equal(reply->items[2].type, REPLY_ERROR);
    assert_int_equal(reply->items[3].integer, 9);
}

static void test_a_nested_reply_may_be_cut_anywhere(void **state)
{
    static const char bytes[] = NESTED NESTED;
    const struct reply *reply;
    (void)state;

    for (size_t cut = 0; cut < sizeof(bytes); cut++) {
        struct resp_reader *r = reader_new();
        int seen = 0;
        assert_int_equal(resp_feed(r, bytes, cut), 0);
        for (; resp_next(r, &reply) == 1; seen++)
            assert_nested(reply);
        assert_int_equal(resp_feed(r, bytes + cut, sizeof(bytes) - 1 - cut), 0);
        for (; resp_next(r, &reply) == 1; seen++)
            assert_nested(reply);
        assert_int_equal(seen, 2);
        resp_destroy(r);
    }
}

#define TEXT64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_a_text_of_just_the_limit_is_taken_however_it_is_cut(void **state)
{
    static const char text[] = "$64\r\n" TEXT64 "\r\n";
    const struct reply *reply;
    (void)state;

    for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
        struct resp_reader *r = reader_new();
        assert_int_equal(resp_feed(r, text, cut), 0);
        assert_int_equal(resp_next(r, &reply), 0);
        assert_int_equal(feed(r, text + cut, &reply), 1);
        assert_int_equal(reply->text.bytes, 64);
        resp_destroy(r);
    }
}

static void test_what_is_no_reply_or_too_large_breaks_the_reader_for_good(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 400 Bad Request\r\n",
        "\r\n",
        "*17\r\n", /* more nodes than allowed */
        "*1000000000\r\n",
        "*15\r\n*1\r\n",
        "*-7\r\n",
        NEST4 NEST4 NEST4 NEST4 NEST4 ":1\r\n", /* too deep */
        "$65\r\n" TEXT64 "x\r\n",
        "$999999999\r\n" TEXT64 TEXT64,
        "+" TEXT64 TEXT64,
        "%1\r\n+a\r\n:1\r\n", /* RESP3 */
        ",1.5\r\n",
        "#t\r\n",
        "_\r\n",
    };
    const struct reply *reply;
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct resp_reader *r = reader_new();
        int got = feed(r, bad[i], &reply);
        if (strcmp(bad[i], "_\r\n") == 0 && got == 1)
            got = -EPROTO; /* hiredis 1.x knows it as a nil: harmless */
        if (got != -EPROTO)
            fail_msg("%d for %s", got, bad[i]);
        resp_destroy(r);
    }
    struct resp_reader *r = reader_new();
    assert_int_equal(feed(r, "x\r\n", &reply), -EPROTO);
    assert_int_equal(resp_feed(r, "+OK\r\n", 5), -EPROTO);
    assert_int_equal(resp_next(r, &reply), -EPROTO);
    resp_reset(r);
    assert_int_equal(feed(r, "+OK\r\n", &reply), 1);
    resp_destroy(r);
}

static void test_a_reset_reader_forgets_half_a_reply(void **state)
{
    struct resp_reader *r = reader_new();
    const struct reply *reply;
    (void)state;

    assert_int_equal(feed(r, "*3\r\n:1\r\n$10\r\nabc", &reply), 0);
    resp_reset(r);
    assert_int_equal(feed(r, ":5\r\n", &reply), 1);
    assert_int_equal(reply->integer, 5);
    resp_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_is_an_array_of_bulk_strings),
        cmocka_unit_test(test_each_type_of_reply_is_understood),
        cmocka_unit_test(test_a_nested_reply_may_be_cut_anywhere),
        cmocka_unit_test(test_a_text_of_just_the_limit_is_taken_however_it_is_cut),
        cmocka_unit_test(test_what_is_no_reply_or_too_large_breaks_the_reader_for_good),
        cmocka_unit_test(test_a_reset_reader_forgets_half_a_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
