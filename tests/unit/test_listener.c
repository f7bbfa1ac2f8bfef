#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct sockaddr_storage loopback(uint16_t port)
{
    struct sockaddr_storage address = {0};
    *(struct sockaddr_in *)&address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return address;
}

static int open_at(uint16_t port, bool reuse_port, struct error *err)
{
    struct sockaddr_storage address = loopback(port);
    return listener_open(&address, reuse_port, err);
}

static int open_any(void)
{
    struct error err = {0};
    int fd = open_at(0, false, &err);
    assert_true(fd >= 0);
    return fd;
}

static void *close_soon(void *fd)
{
    usleep(100 * 1000);
    close(*(int *)fd);
    return NULL;
}

static void test_a_port_that_is_given_back_in_a_moment_is_waited_for(void **state)
{
    (void)state;
    struct error err = {0};
    pthread_t last_owner;
    int old = open_any();
    uint16_t port = listener_port(old);

    assert_int_equal(pthread_create(&last_owner, NULL, close_soon, &old), 0);
    int fd = open_at(port, false, &err);
    pthread_join(last_owner, NULL);
    assert_true(fd >= 0);
    assert_int_equal(listener_port(fd), port);
    close(fd);
}

static void test_what_is_accepted_inherits_when_to_give_up(void **state)
{
    (void)state;
    int fd = open_any(), client = socket(AF_INET, SOCK_STREAM, 0);
    listener_give_up_after(fd, 4321);
    struct sockaddr_storage there = loopback(listener_port(fd));
    assert_int_equal(connect(client, (struct sockaddr *)&there, sizeof(struct sockaddr_in)), 0);
    int accepted;
    while ((accepted = accept(fd, NULL, NULL)) < 0)
        assert_int_equal(errno, EAGAIN);
    unsigned value = 0;
    socklen_t bytes = sizeof(value);
    assert_int_equal(getsockopt(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &bytes), 0);
    assert_int_equal(value, 4321);
    close(accepted);
    close(client);
    close(fd);
}

static void test_a_port_that_another_program_keeps_is_refused_with_the_remedy(void **state)
{
    (void)state;
    struct error err = {0};
    int old = open_any();

    assert_int_equal(open_at(listener_port(old), false, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, "another program listens there"));
    close(old);
}

static void test_listeners_that_reuse_the_port_share_it(void **state)
{
    (void)state;
    struct error err = {0};
    int first = open_at(0, true, &err);
    int second = open_at(listener_port(first), true, &err);

    assert_true(first >= 0 && second >= 0);
    close(first);
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_accepted_inherits_when_to_give_up),
        cmocka_unit_test(test_a_port_that_is_given_back_in_a_moment_is_waited_for),
        cmocka_unit_test(test_a_port_that_another_program_keeps_is_refused_with_the_remedy),
        cmocka_unit_test(test_listeners_that_reuse_the_port_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
