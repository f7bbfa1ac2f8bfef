/* A real engine with real sockets on loopback: an echo server above it, clients below. Every engine must pass. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/engine.h"
#include "net/listener.h"

#define MAX 32
#define CLIENT_TIMEOUT_S 5

static enum engine_kind kind; /* under test */

struct echo {
    struct engine_config config;
    struct engine *engine;
    pthread_t thread;
    sem_t started;
    int result;
    struct error err;
    uint16_t port;
    struct echo_conn {
        char *data; /* received, not yet sent; owned */
        size_t bytes, sending;
        char *out;
        bool open, fin, closing;
    } conns[MAX];
    bool hold; /* pause each connection at its first byte */
    bool accept_ended;
    int accepted, closed, failed, woken, open_most;
};

static void echo_close(struct echo *e, uint32_t slot)
{
    e->conns[slot].closing = true;
    engine_close(e->engine, slot);
}

static void echo_pump(struct echo *e, uint32_t slot)
{
    struct echo_conn *c = &e->conns[slot];
    if (c->out || !c->open || c->closing)
        return;
    if (c->bytes > 0) {
        c->out = c->data;
        c->sending = c->bytes;
        c->data = NULL;
        c->bytes = 0;
        engine_send(e->engine, slot, c->out, c->sending);
    } else if (c->fin) {
        echo_close(e, slot);
    }
}

static void on_accepted(void *ctx, uint32_t slot)
{
    struct echo *e = ctx;
    assert_false(e->conns[slot].open); /* a number must not come back while it is in use */
    e->conns[slot] = (struct echo_conn){.open = true};
    e->accepted++;
    if (e->accepted - e->closed > e->open_most)
        e->open_most = e->accepted - e->closed;
}

static void on_received(void *ctx, uint32_t slot, const char *data, size_t bytes)
{
    struct echo *e = ctx;
    struct echo_conn *c = &e->conns[slot];
    if (bytes == 0) {
        c->fin = true;
        return;
    }
    c->data = realloc(c->data, c->bytes + bytes);
    memcpy(c->data + c->bytes, data, bytes);
    c->bytes += bytes;
    if (e->hold)
        engine_recv_pause(e->engine, slot);
}

static void on_sent(void *ctx, uint32_t slot, int result)
{
    struct echo *e = ctx;
    free(e->conns[slot].out);
    e->conns[slot].out = NULL;
    if (result < 0)
        echo_close(e, slot);
}

static void on_failed(void *ctx, uint32_t slot, int result)
{
    struct echo *e = ctx;
    (void)result;
    e->failed++;
    echo_close(e, slot);
}

static void on_closed(void *ctx, uint32_t slot)
{
    struct echo *e = ctx;
    free(e->conns[slot].out);
    free(e->conns[slot].data);
    e->conns[slot] = (struct echo_conn){0};
    e->closed++;
}

static void on_accept_ended(void *ctx) { ((struct echo *)ctx)->accept_ended = true; }

static void on_batch_end(void *ctx)
{
    struct echo *e = ctx;
    for (uint32_t i = 0; i < MAX; i++)
        echo_pump(e, i);
    if (e->accept_ended && e->accepted == e->closed)
        engine_stop(e->engine);
}

static void on_woken(void *ctx)
{
    struct echo *e = ctx;
    e->woken++;
    if (e->hold) {
        e->hold = false;
        for (uint32_t i = 0; i < MAX; i++)
            if (e->conns[i].open)
                engine_recv_resume(e->engine, i);
        return;
    }
    engine_accept_stop(e->engine);
}

static void on_tick(void *ctx, uint64_t now_ms) { (void)ctx, (void)now_ms; }

static const struct engine_events events = {
    .accepted = on_accepted,
    .received = on_received,
    .sent = on_sent,
    .failed = on_failed,
    .closed = on_closed,
    .accept_ended = on_accept_ended,
    .batch_end = on_batch_end,
    .woken = on_woken,
    .tick = on_tick,
};

static void *echo_main(void *arg)
{
    struct echo *e = arg;
    e->result = engine_create(&e->engine, &e->config, &events, e, &e->err);
    sem_post(&e->started);
    if (e->result == 0)
        e->result = engine_run(e->engine);
    return NULL;
}

static void echo_start(struct echo *e, uint32_t conns_max, uint32_t buffers, uint32_t buffer_bytes)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    e->config = (struct engine_config){.kind = kind,
                                       .conns_max = conns_max,
                                       .recv_buffers = buffers,
                                       .recv_buffer_bytes = buffer_bytes,
                                       .batch_wait_us = 200,
                                       .listen_fd = listener_open(&address, false, &e->err)};
    assert_true(e->config.listen_fd >= 0);
    e->port = listener_port(e->config.listen_fd);
    sem_init(&e->started, 0, 0);
    pthread_create(&e->thread, NULL, echo_main, e);
    sem_wait(&e->started);
    if (e->result < 0)
        fail_msg("%s", e->err.text);
}

/* Ends the accepting, waits for the last connection. */
static void echo_join(struct echo *e)
{
    engine_wake(e->engine);
    pthread_join(e->thread, NULL);
    assert_int_equal(e->result, 0);
    assert_int_equal(e->accepted, e->closed);
}

static void echo_end(struct echo *e)
{
    engine_destroy(e->engine);
    close(e->config.listen_fd);
    sem_destroy(&e->started);
}

static int client(const struct echo *e)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(e->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void assert_echo(int fd, const char *data, size_t bytes)
{
    char *back = malloc(bytes);
    size_t have = 0;
    while (have < bytes) {
        ssize_t n = recv(fd, back + have, bytes - have, 0);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(back, data, bytes);
    free(back);
}

/* Sends without waiting for the echo, from another thread. */
struct sender {
    int fd;
    const char *data;
    size_t bytes;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    while (s->bytes > 0) {
        ssize_t n = send(s->fd, s->data, s->bytes, MSG_NOSIGNAL);
        if (n <= 0)
            return NULL;
        s->data += n;
        s->bytes -= (size_t)n;
    }
    return NULL;
}

static char *pattern(size_t bytes)
{
    char *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)(i * 31 + i / 251);
    return data;
}

/* ---- */

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
            int bytes = snprintf(text, sizeof text, "round %d of %d", round, i);
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
    size_t bytes = 2000000;
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

static void test_too_few_descriptors_are_said_with_the_remedy(void **state)
{
    (void)state;
    struct rlimit saved, few;
    struct echo e = {.config = {.kind = kind, .conns_max = 100000, .recv_buffers = 16, .recv_buffer_bytes = 256}};
    getrlimit(RLIMIT_NOFILE, &saved);
    few = (struct rlimit){64, 64};
    if (saved.rlim_max < 64)
        skip();
    few.rlim_max = saved.rlim_max;
    if (kind == ENGINE_EPOLL)
        skip(); /* its descriptors are taken one by one */
    setrlimit(RLIMIT_NOFILE, &few);
    int r = engine_create(&e.engine, &e.config, &events, &e, &e.err);
    setrlimit(RLIMIT_NOFILE, &saved);
    assert_true(r < 0);
    assert_non_null(strstr(e.err.text, "ulimit -n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sent_comes_back_over_many_connections),
        cmocka_unit_test(test_more_bytes_than_buffers_are_not_lost),
        cmocka_unit_test(test_a_paused_connection_goes_on_where_it_stopped),
        cmocka_unit_test(test_connections_over_the_limit_wait_for_a_place),
        cmocka_unit_test(test_resets_leave_nothing_behind),
        cmocka_unit_test(test_stopping_to_accept_still_serves_what_the_kernel_has_queued),
        cmocka_unit_test(test_too_few_descriptors_are_said_with_the_remedy),
    };
    int failed = cmocka_run_group_tests_name("uring", tests, NULL, NULL);
    kind = ENGINE_EPOLL;
    return failed + cmocka_run_group_tests_name("epoll", tests, NULL, NULL);
}
