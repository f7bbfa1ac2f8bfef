/* A real engine with real sockets on loopback. Every engine must pass. */

#include "support/echo_server.h"

static void test_what_was_sent_comes_back_over_many_connections(void **state)
{
    (void)state;
    struct echo e = {0};
    int fds[16];
    echo_start(&e, LISTEN_BACKLOG + MAX, 64, 256); /* room enough for a multishot accept */
    for (int i = 0; i < 16; i++)
        fds[i] = client(&e);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < 16; i++) {
            char text[32];
            int bytes = snprintf(text, sizeof(text), "round %d of %d", round, i);
            assert_int_equal(send(fds[i], text, (size_t)bytes, 0), bytes);
            assert_echo(fds[i], text, (size_t)bytes);
        }
    for (int i = 0; i < 16; i++)
        close(fds[i]);
    echo_join(&e);
    assert_int_equal(e.accepted, 16);
    echo_end(&e);
}

static void test_more_bytes_than_buffers_are_not_lost(void **state)
{
    (void)state;
    struct echo e = {0};
    size_t bytes = 400000;
    char *data = pattern(bytes);
    echo_start(&e, MAX, 2, 64); /* the ring runs dry all the time */
    struct sender senders[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        senders[i] = (struct sender){client(&e), data, bytes / 8};
        pthread_create(&threads[i], NULL, send_all, &senders[i]);
    }
    for (int i = 0; i < 4; i++) {
        assert_echo(senders[i].fd, data, bytes / 8);
        pthread_join(threads[i], NULL);
        close(senders[i].fd);
    }
    if (kind == ENGINE_URING)
        assert_true(engine_stats(e.engine)->recv_no_buffers > 0);
    echo_join(&e);
    echo_end(&e);
    free(data);
}

static void test_a_paused_connection_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct echo e = {.hold = true};
    size_t bytes = 500000;
    char *data = pattern(bytes);
    echo_start(&e, MAX, 16, 1024);
    struct sender s = {client(&e), data, bytes};
    int fd = s.fd;
    pthread_t thread;
    pthread_create(&thread, NULL, send_all, &s);
    char first;
    while (recv(fd, &first, 1, MSG_PEEK) <= 0)
        ;
    engine_wake(e.engine); /* resumes */
    assert_echo(fd, data, bytes);
    pthread_join(thread, NULL);
    close(fd);
    echo_join(&e);
    echo_end(&e);
    free(data);
}

static void test_connections_over_the_limit_wait_for_a_place(void **state)
{
    (void)state;
    struct echo e = {0};
    int fds[12];
    echo_start(&e, 4, 16, 256);
    for (int i = 0; i < 4; i++) {
        fds[i] = client(&e);
        send(fds[i], "x", 1, 0);
        assert_echo(fds[i], "x", 1);
    }
    for (int i = 4; i < 12; i++) {
        fds[i] = client(&e); /* the kernel's queue holds it */
        send(fds[i], "y", 1, 0);
    }
    for (int i = 0; i < 12; i++) {
        if (i >= 4)
            assert_echo(fds[i], "y", 1);
        close(fds[i]);
    }
    echo_join(&e);
    assert_int_equal(e.accepted, 12);
    assert_int_equal(e.open_most, 4);
    assert_true(engine_stats(e.engine)->accept_pauses > 0);
    echo_end(&e);
}

static void test_resets_leave_nothing_behind(void **state)
{
    (void)state;
    struct echo e = {0};
    char *data = pattern(100000);
    echo_start(&e, MAX, 16, 256);
    for (int i = 0; i < 500; i++) {
        int fd = client(&e);
        if (i % 3)
            send(fd, data, (size_t)(i * 100), MSG_DONTWAIT);
        if (i % 5 == 0)
            close(fd);
        else
            reset(fd);
    }
    echo_join(&e);
    echo_end(&e);
    free(data);
}

static void test_stopping_to_accept_still_serves_what_the_kernel_has_queued(void **state)
{
    (void)state;
    struct echo e = {0};
    int fds[10];
    echo_start(&e, 2, 16, 256);
    for (int i = 0; i < 2; i++) {
        fds[i] = client(&e);
        send(fds[i], "a", 1, 0);
        assert_echo(fds[i], "a", 1);
    }
    int queued = client(&e); /* no place yet: it waits in the kernel's queue */
    send(queued, "q", 1, 0);
    close(fds[0]);
    assert_echo(queued, "q", 1);
    close(fds[1]);
    close(queued);
    echo_join(&e);
    assert_int_equal(e.accepted, 3);
    echo_end(&e);
}

/* What is left of a slot's last connection must not reach its next. */
static void test_slots_are_used_again_thousands_of_times(void **state)
{
    (void)state;
    struct echo e = {0};
    echo_start(&e, 4, 16, 256);
    for (int i = 0; i < 3000; i++) {
        int fd = client(&e);
        char text[16];
        int bytes = snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(send(fd, text, (size_t)bytes, 0), bytes);
        assert_echo(fd, text, (size_t)bytes);
        if (i % 3 == 0)
            send(fd, "unread", 6, 0); /* echoed into a reset */
        close(fd);
    }
    echo_join(&e);
    assert_int_equal(e.accepted, 3000);
    echo_end(&e);
}

static void test_the_peer_is_told(void **state)
{
    (void)state;
    struct echo e = {0};
    echo_start(&e, 4, 16, 256);
    int fd = client(&e);
    struct sockaddr_in own;
    socklen_t bytes = sizeof(own);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &bytes), 0);
    send(fd, "a", 1, 0);
    assert_echo(fd, "a", 1);
    close(fd);
    echo_join(&e);
    echo_end(&e);
    if (!peers && e.peer.ss_family == AF_UNSPEC)
        skip_because("this kernel's rings do not say who is at the other end");
    assert_int_equal(((struct sockaddr_in *)&e.peer)->sin_port, own.sin_port);
    assert_int_equal(((struct sockaddr_in *)&e.peer)->sin_addr.s_addr, own.sin_addr.s_addr);
}

/* The kernel may report the new connection first: here because it came first. */
static void test_what_ended_is_told_before_what_is_new(void **state)
{
    (void)state;
    struct echo e = {.freeze = true};
    echo_start(&e, 4, 16, 256);
    int old = client(&e);
    send(old, "a", 1, 0);
    assert_echo(old, "a", 1);
    engine_wake(e.engine);
    sem_wait(&e.frozen);
    int new = client(&e);
    close(old);
    sem_post(&e.thawed);
    send(new, "b", 1, 0);
    assert_echo(new, "b", 1);
    close(new);
    echo_join(&e);
    assert_int_equal(e.accepted, 2);
    assert_int_equal(e.open_most, 1);
    echo_end(&e);
}

static void test_too_few_descriptors_are_said_with_the_remedy(void **state)
{
    (void)state;
    struct rlimit saved, few;
    struct echo e = {.config = {.kind = kind, .conns_max = 100000, .recv_buffers = 16, .recv_buffer_bytes = 256}};
    getrlimit(RLIMIT_NOFILE, &saved);
    few = (struct rlimit){64, 64};
    if (saved.rlim_max < 64)
        skip_because("fewer than 64 descriptors are allowed here");
    few.rlim_max = saved.rlim_max;
    echo_need_engine();
    setrlimit(RLIMIT_NOFILE, &few);
    int r = engine_create(&e.engine, &e.config, &echo_events, &e, &e.err);
    setrlimit(RLIMIT_NOFILE, &saved);
    assert_true(r < 0);
    assert_non_null(strstr(e.err.text, "ulimit -n"));
}

#define OF_ALL                                                                                                         \
    cmocka_unit_test(test_what_was_sent_comes_back_over_many_connections),                                             \
        cmocka_unit_test(test_more_bytes_than_buffers_are_not_lost),                                                   \
        cmocka_unit_test(test_a_paused_connection_goes_on_where_it_stopped),                                           \
        cmocka_unit_test(test_connections_over_the_limit_wait_for_a_place),                                            \
        cmocka_unit_test(test_resets_leave_nothing_behind),                                                            \
        cmocka_unit_test(test_stopping_to_accept_still_serves_what_the_kernel_has_queued),                             \
        cmocka_unit_test(test_slots_are_used_again_thousands_of_times)

int main(void)
{
    /* A table of the ring's own descriptors is asked for whole; ordinary ones are taken one by one. */
    const struct CMUnitTest table[] = {OF_ALL, cmocka_unit_test(test_the_peer_is_told),
                                       cmocka_unit_test(test_too_few_descriptors_are_said_with_the_remedy)};
    const struct CMUnitTest ordinary[] = {OF_ALL, cmocka_unit_test(test_the_peer_is_told)};
    const struct CMUnitTest polled[] = {OF_ALL, cmocka_unit_test(test_the_peer_is_told),
                                        cmocka_unit_test(test_what_ended_is_told_before_what_is_new)};
    int failed = cmocka_run_group_tests_name("uring", table, NULL, NULL);
    peers = true;
    failed += cmocka_run_group_tests_name("uring with ordinary descriptors", ordinary, NULL, NULL);
    kind = ENGINE_EPOLL;
    return failed + cmocka_run_group_tests_name("epoll", polled, NULL, NULL);
}
