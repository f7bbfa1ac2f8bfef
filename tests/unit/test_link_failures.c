/* What a transport and credentials can do to a link, one failure at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/link_fixture.h"

/* The fake's transport, but for what a test makes of it. */
static struct {
    int status;
    ssize_t sent; /* what sending answers; 0: as the fake */
    const char *reason;
    int sending; /* what pollable() was told last */
} whim;

static int whim_status(struct stream *s)
{
    (void)s;
    return whim.status;
}

static ssize_t whim_try_send(struct stream *s, const void *data, size_t bytes)
{
    return whim.sent ? whim.sent : fake_try_send(s, data, bytes);
}

static const char *whim_reason(const struct stream *s)
{
    (void)s;
    return whim.reason;
}

static int whim_pollable(const struct stream *s, int sending, short *events)
{
    (void)s;
    whim.sending = sending;
    *events = sending ? POLLIN | POLLOUT : POLLIN;
    return 7;
}

static const struct transport_ops whim_ops = {
    .open = fake_open,
    .status = whim_status,
    .try_send = whim_try_send,
    .try_recv = fake_try_recv,
    .pollable = whim_pollable,
    .reason = whim_reason,
    .close = fake_close,
};

static void whim_init(struct fixture *f)
{
    memset(&whim, 0, sizeof(whim));
    whim.reason = "";
    link_fixture_init_with(f, &whim_ops, fixed_credentials(NULL));
}

static void test_a_connection_that_does_not_come_about_ends_at_its_deadline(void **state)
{
    struct fixture f;
    (void)state;

    whim_init(&f);
    whim.status = -EINPROGRESS;
    run_ms(&f, 2990);
    assert_int_equal(f.downs, 0);
    assert_int_equal(link_state(f.link), LINK_CONNECTING);
    assert_int_equal(link_wake_ms(f.link), 1000 + 3000);
    run_ms(&f, 20);
    assert_int_equal(f.downs, 1);
    assert_int_equal(link_reason_code(f.link), -ETIMEDOUT);
    whim.status = 0;
    run_ms(&f, 200);
    assert_int_equal(f.readies, 1);
    link_fixture_fini(&f);
}

static void test_the_transports_own_words_are_the_reason_where_it_has_any(void **state)
{
    static const struct {
        const char *says, *reason;
    } cases[] = {{"the certificate was refused", "the certificate was refused"}, {"", "connecting failed"}};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        whim_init(&f);
        whim.status = -EACCES;
        whim.reason = cases[i].says;
        run_ms(&f, 10);
        assert_int_equal(f.downs, 1);
        assert_int_equal(link_reason_code(f.link), -EACCES);
        assert_string_equal(link_reason(f.link), cases[i].reason);
        link_fixture_fini(&f);
    }
}

static void test_a_write_that_fails_ends_the_connection_and_drops_what_waits(void **state)
{
    struct fixture f;
    (void)state;

    whim_init(&f);
    run_ms(&f, 20);
    ask(&f, "GET", 2);
    whim.sent = -EPIPE;
    run_ms(&f, 10);
    assert_int_equal(f.downs, 1);
    assert_int_equal(link_reason_code(f.link), -EPIPE);
    assert_string_equal(link_reason(f.link), "sending failed");
    whim.sent = 0;
    run_ms(&f, 200);
    assert_int_equal(f.readies, 2);
    assert_int_equal(f.replies, 0); /* what was asked on the old connection is not asked on the new one */
    link_fixture_fini(&f);
}

static void test_room_to_write_is_waited_for_only_while_bytes_are_left(void **state)
{
    struct fixture f;
    struct pollfd p;
    (void)state;

    whim_init(&f);
    link_poll(f.link, &p);
    assert_int_equal(p.fd, -1); /* down: nothing to poll */
    run_ms(&f, 20);
    link_poll(f.link, &p);
    assert_int_equal(p.fd, 7);
    assert_int_equal(p.events, POLLIN);
    ask(&f, "GET", 1);
    whim.sent = -EAGAIN;
    link_flush(f.link);
    link_poll(f.link, &p);
    assert_int_equal(p.events, POLLIN | POLLOUT);
    whim.sent = 0;
    link_flush(f.link);
    link_poll(f.link, &p);
    assert_int_equal(p.events, POLLIN);
    assert_int_equal(link_state(f.link), LINK_READY);
    link_fixture_fini(&f);
}

static void test_nothing_is_sent_before_the_connection_is_there(void **state)
{
    struct fixture f;
    (void)state;

    whim_init(&f);
    link_flush(f.link);
    assert_int_equal(f.redis.writes, 0);
    assert_int_equal(link_state(f.link), LINK_DOWN);
    link_fixture_fini(&f);
}

static const char *no_password(void *ctx, struct error *err)
{
    error_set(err, -EACCES, "no AWS keys: %s", (const char *)ctx);
    return NULL;
}

static void test_without_a_password_the_server_is_not_asked_and_the_reason_is_told(void **state)
{
    struct fixture f;
    char why[] = "the token file is empty";
    (void)state;

    link_fixture_init_with(&f, &fake_ops, (struct credentials){.password = no_password, .ctx = why});
    run_ms(&f, 10);
    assert_int_equal(f.downs, 1);
    assert_int_equal(link_reason_code(f.link), -EACCES);
    assert_string_equal(link_reason(f.link), "no AWS keys: the token file is empty");
    assert_int_equal(f.redis.writes, 0);
    run_ms(&f, 1000);
    assert_true(f.downs > 1); /* it is asked again at each attempt */
    assert_int_equal(f.readies, 0);
    link_fixture_fini(&f);
}

static void
test_a_connection_is_renewed_when_its_credentials_end_but_never_between_a_command_and_its_reply(void **state)
{
    struct fixture f;
    struct credentials credentials = fixed_credentials("secret");
    (void)state;

    credentials.reconnect_ms = 2000;
    link_fixture_init_with(&f, &fake_ops, credentials);
    f.redis.model.password = "secret";
    run_ms(&f, 1990);
    assert_int_equal(f.readies, 1);
    f.redis.mute = true;
    ask(&f, "GET", 1);
    run_ms(&f, 1000);
    assert_int_equal(f.downs, 0); /* a reply is due */
    f.redis.mute = false;
    say(&f, "$-1\r\n");
    run_ms(&f, 20);
    assert_int_equal(f.replies, 1);
    assert_int_equal(f.downs, 1);
    assert_int_equal(link_reason_code(f.link), -ECANCELED);
    run_ms(&f, 200);
    assert_int_equal(f.readies, 2);
    assert_int_equal(link_traffic(f.link)->connects, 2);
    link_fixture_fini(&f);
}

static void test_a_new_address_is_for_the_next_connection(void **state)
{
    struct fixture f;
    (void)state;

    whim_init(&f);
    run_ms(&f, 20);
    link_set_address(f.link, "elsewhere", NULL, 7000);
    run_ms(&f, 100);
    assert_int_equal(f.downs, 0);
    assert_int_equal(link_state(f.link), LINK_READY);
    link_fixture_fini(&f);
    link_destroy(NULL);
}

/* Remembers which host was tried last; `names` gets the name that may stand in for it. */
static char tried[32], names[32];

static int noting_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    snprintf(tried, sizeof(tried), "%s", host);
    return strcmp(host, "wrong") == 0 ? -ENOENT : fake_open(ctx, host, port, out);
}

static void noting_accept_name(struct stream *s, const char *name)
{
    (void)s;
    snprintf(names, sizeof(names), "%s", name);
}

static void test_a_second_choice_is_tried_when_the_first_does_not_lead_anywhere(void **state)
{
    struct transport_ops ops = fake_ops;
    struct fixture f;
    (void)state;

    ops.open = noting_open;
    ops.accept_name = noting_accept_name;
    link_fixture_init_with(&f, &ops, fixed_credentials(NULL));
    link_set_address(f.link, "wrong", "right", 7000);
    link_tick(f.link, f.now_ms);
    assert_int_equal(f.downs, 1);
    assert_string_equal(link_host(f.link), "wrong");
    assert_non_null(strstr(link_reason(f.link), "does not resolve"));
    run_ms(&f, 200);
    assert_int_equal(link_state(f.link), LINK_READY);
    assert_string_equal(link_host(f.link), "right");
    assert_string_equal(names, "wrong");
    fake_restart(&f.redis); /* what has worked is tried again */
    tried[0] = '\0';
    run_ms(&f, 200);
    assert_string_equal(tried, "right");
    assert_int_equal(link_state(f.link), LINK_READY);
    link_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_that_does_not_come_about_ends_at_its_deadline),
        cmocka_unit_test(test_the_transports_own_words_are_the_reason_where_it_has_any),
        cmocka_unit_test(test_a_write_that_fails_ends_the_connection_and_drops_what_waits),
        cmocka_unit_test(test_room_to_write_is_waited_for_only_while_bytes_are_left),
        cmocka_unit_test(test_nothing_is_sent_before_the_connection_is_there),
        cmocka_unit_test(test_without_a_password_the_server_is_not_asked_and_the_reason_is_told),
        cmocka_unit_test(
            test_a_connection_is_renewed_when_its_credentials_end_but_never_between_a_command_and_its_reply),
        cmocka_unit_test(test_a_new_address_is_for_the_next_connection),
        cmocka_unit_test(test_a_second_choice_is_tried_when_the_first_does_not_lead_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
