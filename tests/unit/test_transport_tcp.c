#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis/transport_tcp.h"
#include "support/skip.h"

static int listener(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &bytes), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void wait_for(const struct transport *t, const struct stream *s, int sending)
{
    struct pollfd p = {0};

    p.fd = t->ops->pollable(s, sending, &p.events);
    assert_true(p.fd >= 0);
    assert_int_equal(poll(&p, 1, 5000), 1);
}

static int connected(const struct transport *t, struct stream *s)
{
    int status;

    while ((status = t->ops->status(s)) == -EINPROGRESS)
        wait_for(t, s, 0);
    return status;
}

static void test_bytes_go_both_ways_and_the_end_is_seen(void **state)
{
    struct transport t = transport_tcp();
    struct stream *s;
    uint16_t port;
    char got[16];
    int fd = listener(&port);
    (void)state;

    assert_int_equal(t.ops->open(t.ctx, "127.0.0.1", port, &s), 0);
    assert_int_equal(connected(&t, s), 0);
    int peer = accept(fd, NULL, NULL);
    assert_int_equal(t.ops->try_recv(s, got, sizeof(got)), -EAGAIN);
    assert_int_equal(t.ops->try_send(s, "ping", 4), 4);
    assert_int_equal(recv(peer, got, 4, MSG_WAITALL), 4);
    assert_int_equal(send(peer, "pong", 4, 0), 4);
    wait_for(&t, s, 0);
    assert_int_equal(t.ops->try_recv(s, got, sizeof(got)), 4);
    assert_memory_equal(got, "pong", 4);
    close(peer);
    wait_for(&t, s, 0);
    assert_int_equal(t.ops->try_recv(s, got, sizeof(got)), 0);
    t.ops->close(s);
    close(fd);
}

static void test_every_address_of_a_name_is_tried(void **state)
{
    struct transport t = transport_tcp();
    struct stream *s;
    struct addrinfo *known;
    uint16_t port;
    int fd = listener(&port); /* on 127.0.0.1 only: ::1, where localhost may lead first, refuses */
    (void)state;

    if (getaddrinfo("localhost", NULL, NULL, &known)) {
        close(fd);
        skip_because("localhost is no name here: /etc/hosts");
    }
    freeaddrinfo(known);
    assert_int_equal(t.ops->open(t.ctx, "localhost", port, &s), 0);
    assert_int_equal(connected(&t, s), 0);
    t.ops->close(s);
    close(fd);
}

static void test_a_closed_port_refuses(void **state)
{
    struct transport t = transport_tcp();
    struct stream *s;
    uint16_t port;
    (void)state;

    close(listener(&port));
    int failed = t.ops->open(t.ctx, "127.0.0.1", port, &s);
    if (failed == 0) {
        failed = connected(&t, s);
        t.ops->close(s);
    }
    assert_int_equal(failed, -ECONNREFUSED);
}

static void test_a_name_that_is_none_is_an_error(void **state)
{
    struct transport t = transport_tcp();
    struct stream *s = NULL;
    (void)state;

    assert_true(t.ops->open(t.ctx, "not a host name", 1, &s) < 0);
    assert_null(s);
}

static void test_a_full_socket_takes_no_more(void **state)
{
    static char block[1 << 16];
    struct transport t = transport_tcp();
    struct stream *s;
    uint16_t port;
    ssize_t n = 0;
    int fd = listener(&port);
    (void)state;

    assert_int_equal(t.ops->open(t.ctx, "127.0.0.1", port, &s), 0);
    assert_int_equal(connected(&t, s), 0);
    for (int i = 0; i < 1000 && n >= 0; i++)
        n = t.ops->try_send(s, block, sizeof(block));
    assert_int_equal(n, -EAGAIN);
    t.ops->close(s);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_go_both_ways_and_the_end_is_seen),
        cmocka_unit_test(test_every_address_of_a_name_is_tried),
        cmocka_unit_test(test_a_closed_port_refuses),
        cmocka_unit_test(test_a_name_that_is_none_is_an_error),
        cmocka_unit_test(test_a_full_socket_takes_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
