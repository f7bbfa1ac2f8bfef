/* Readers and links when memory is short: an error or a broken connection, never half an object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/command.h"
#include "redis/iam.h"
#include "support/failing_memory.h"
#include "support/link_fixture.h"

#define ALLOCATIONS_MAX 100

static const struct resp_limits small = {.nodes_max = 16, .text_bytes_max = 64};

static void test_a_reader_is_created_whole_or_not_at_all(void **state)
{
    struct resp_reader *const untouched = (struct resp_reader *)(uintptr_t)1, *r = untouched;
    const struct reply *reply;
    unsigned long k = 0;
    int failed;
    (void)state;

    do {
        fail_allocation(++k);
        failed = resp_create(&r, &small);
        failing.armed = false;
        assert_true(failed ? failed == -ENOMEM && r == untouched : r != untouched);
    } while (failed && k < ALLOCATIONS_MAX);
    assert_in_range(k, 5, ALLOCATIONS_MAX - 1);
    assert_int_equal(resp_feed(r, "+OK\r\n", 5), 0);
    assert_int_equal(resp_next(r, &reply), 1);
    resp_destroy(r);
    resp_destroy(NULL);
}

static void test_a_command_that_finds_no_room_leaves_the_buffer_failed_and_whole(void **state)
{
    struct buf out = {.bytes_max = strlen("*1\r\n$4\r\nPING\r\n") + 8};
    (void)state;

    command_append(&out, 1, (struct slice[]){SLICE("PING")});
    size_t before = out.bytes;
    command_append(&out, 2, (struct slice[]){SLICE("GET"), SLICE("key")});
    assert_true(out.failed);
    assert_int_equal(out.bytes, before); /* no half command behind a whole one */
    buf_fini(&out);
}

static void test_a_reset_without_memory_breaks_the_reader_until_the_next_one(void **state)
{
    const struct reply *reply;
    struct resp_reader *r;
    (void)state;

    assert_int_equal(resp_create(&r, &small), 0);
    fail_allocation(1);
    resp_reset(r);
    failing.armed = false;
    assert_int_equal(resp_feed(r, "+OK\r\n", 5), -EPROTO);
    assert_int_equal(resp_next(r, &reply), -EPROTO);
    resp_reset(r);
    assert_int_equal(resp_feed(r, "+OK\r\n", 5), 0);
    assert_int_equal(resp_next(r, &reply), 1);
    resp_destroy(r);
}

static void test_bytes_that_find_no_memory_are_an_error_for_good(void **state)
{
    static char many[20000];
    const struct reply *reply;
    struct resp_reader *r;
    (void)state;

    memset(many, 'x', sizeof(many));
    assert_int_equal(resp_create(&r, &(struct resp_limits){16, 1 << 20}), 0);
    fail_allocation(1);
    assert_int_equal(resp_feed(r, many, sizeof(many)), -EPROTO);
    failing.armed = false;
    assert_int_equal(resp_feed(r, "+OK\r\n", 5), -EPROTO); /* what was lost may have been half a reply */
    assert_int_equal(resp_next(r, &reply), -EPROTO);
    resp_destroy(r);
}

static void test_a_link_is_created_whole_or_not_at_all(void **state)
{
    const struct link_config config = {.transport = {&fake_ops, NULL}, .random = no_chance, .limits = small};
    struct link *const untouched = (struct link *)(uintptr_t)1, *l = untouched;
    unsigned long k = 0;
    int failed;
    (void)state;

    do {
        fail_allocation(++k);
        failed = link_create(&l, &config, &(struct link_user){0});
        failing.armed = false;
        assert_true(failed ? failed == -ENOMEM && l == untouched : l != untouched);
    } while (failed && k < ALLOCATIONS_MAX);
    assert_in_range(k, 6, ALLOCATIONS_MAX - 1);
    link_destroy(l);
}

/* A server that allocates nothing: it takes what is sent, and says nothing. */
static struct {
    char bytes[4096];
    size_t count;
} sunk;

static int sink_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    (void)host, (void)port;
    sunk.count = 0;
    *out = ctx;
    return 0;
}

static ssize_t sink_try_send(struct stream *s, const void *data, size_t bytes)
{
    (void)s;
    assert_true(bytes <= sizeof(sunk.bytes) - sunk.count);
    memcpy(sunk.bytes + sunk.count, data, bytes);
    sunk.count += bytes;
    return (ssize_t)bytes;
}

static ssize_t sink_try_recv(struct stream *s, void *out, size_t bytes)
{
    (void)s, (void)out, (void)bytes;
    return -EAGAIN;
}

static void sink_close(struct stream *s) { (void)s; }

static const struct transport_ops sink_ops = {.open = sink_open,
                                              .status = fake_status,
                                              .try_send = sink_try_send,
                                              .try_recv = sink_try_recv,
                                              .pollable = fake_pollable,
                                              .close = sink_close};

static void test_a_greeting_is_sent_whole_or_not_at_all_and_then_tried_again(void **state)
{
    static const char end[] = "*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n";
    int failures = 0;
    (void)state;

    for (unsigned long k = 1; k < 20; k++) {
        struct fixture f;
        link_fixture_init_with(&f, &sink_ops, fixed_credentials("secret"));
        fail_allocation(k);
        link_tick(f.link, f.now_ms);
        failing.armed = false;
        if (f.downs) {
            failures++;
            assert_int_equal(sunk.count, 0);
            assert_int_equal(link_reason_code(f.link), -ENOMEM);
            run_ms(&f, 200);
        }
        assert_int_equal(link_state(f.link), LINK_GREETING);
        assert_true(sunk.count > sizeof(end));
        assert_memory_equal(sunk.bytes, "*2\r\n$4\r\nAUTH\r\n", 14);
        assert_memory_equal(sunk.bytes + sunk.count - (sizeof(end) - 1), end, sizeof(end) - 1);
        link_fixture_fini(&f);
    }
    assert_in_range(failures, 1, 10);
}

static void test_bytes_to_send_that_find_no_memory_end_the_connection(void **state)
{
    static char many[100000];
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    int writes = f.redis.writes;
    link_expect(f.link, 1, on_reply, &f);
    fail_allocation(1);
    link_send(f.link, (struct slice){many, sizeof(many)});
    failing.armed = false;
    run_ms(&f, 10);
    assert_int_equal(f.downs, 1);
    assert_int_equal(link_reason_code(f.link), -ENOMEM);
    assert_int_equal(f.redis.writes, writes); /* never a part of it */
    assert_int_equal(f.replies, 0);
    link_fixture_fini(&f);
}

static void test_replies_that_find_no_memory_end_the_connection(void **state)
{
    static char text[30000];
    struct fixture f;
    (void)state;

    link_fixture_init(&f, NULL);
    run_ms(&f, 20);
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "$4000\r\n", 7);
    say(&f, text);
    fail_allocation(1);
    link_tick(f.link, f.now_ms);
    failing.armed = false;
    assert_int_equal(f.downs, 1);
    assert_string_equal(link_reason(f.link), "no memory for replies");
    link_fixture_fini(&f);
}

static void test_an_iam_token_is_whole_or_there_is_none(void **state)
{
    static const struct iam_config config = {.user = "tallyd", .cluster = "counters", .region = "eu-central-1"};
    struct iam *const untouched = (struct iam *)(uintptr_t)1, *iam = untouched;
    struct error err = {""};
    int failures = 0;
    (void)state;

    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
    fail_allocation(1);
    assert_int_equal(iam_create(&iam, &config, &err), -ENOMEM);
    failing.armed = false;
    assert_ptr_equal(iam, untouched);
    for (unsigned long k = 1; k < ALLOCATIONS_MAX; k++) {
        assert_int_equal(iam_create(&iam, &config, &err), 0);
        struct credentials c = iam_credentials(iam);
        fail_allocation(k);
        const char *token = c.password(c.ctx, &err);
        failing.armed = false;
        if (!token) {
            failures++;
            assert_string_equal(err.text, "no memory for an IAM token");
            token = c.password(c.ctx, &err);
        }
        assert_int_equal(strlen(strstr(token, "&X-Amz-Signature=")), strlen("&X-Amz-Signature=") + 64);
        iam_destroy(iam);
    }
    assert_in_range(failures, 3, ALLOCATIONS_MAX - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_is_created_whole_or_not_at_all),
        cmocka_unit_test(test_a_command_that_finds_no_room_leaves_the_buffer_failed_and_whole),
        cmocka_unit_test(test_a_reset_without_memory_breaks_the_reader_until_the_next_one),
        cmocka_unit_test(test_bytes_that_find_no_memory_are_an_error_for_good),
        cmocka_unit_test(test_a_link_is_created_whole_or_not_at_all),
        cmocka_unit_test(test_a_greeting_is_sent_whole_or_not_at_all_and_then_tried_again),
        cmocka_unit_test(test_bytes_to_send_that_find_no_memory_end_the_connection),
        cmocka_unit_test(test_replies_that_find_no_memory_end_the_connection),
        cmocka_unit_test(test_an_iam_token_is_whole_or_there_is_none),
    };

    if (!MEMORY_CAN_FAIL) {
        puts("a sanitizer has an allocator of its own");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
