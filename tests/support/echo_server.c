#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/echo_server.h"

enum engine_kind kind;
bool peers;

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
    if (peers) {
        int r = engine_peer(e->engine, slot, &e->peer);
        assert_true(r == 0 || r == -ENOTCONN); /* gone already */
    } else {
        engine_peer_ask(e->engine, slot);
    }
    e->accepted++;
    if (e->accepted - e->closed > e->open_most)
        e->open_most = e->accepted - e->closed;
}

static void on_peer_told(void *ctx, uint32_t slot, const struct sockaddr_storage *peer)
{
    struct echo *e = ctx;
    assert_true(e->conns[slot].open && !e->conns[slot].closing);
    e->peer = *peer;
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

static void stop_when_ended(struct echo *e)
{
    if (e->accept_ended && e->accepted == e->closed)
        engine_stop(e->engine);
}

static void on_closed(void *ctx, uint32_t slot)
{
    struct echo *e = ctx;
    free(e->conns[slot].out);
    free(e->conns[slot].data);
    e->conns[slot] = (struct echo_conn){0};
    e->closed++;
    stop_when_ended(e);
}

static void on_accept_ended(void *ctx)
{
    struct echo *e = ctx;
    e->accept_ended = true;
    stop_when_ended(e);
}

static void on_batch_end(void *ctx)
{
    struct echo *e = ctx;
    for (uint32_t i = 0; i < MAX; i++)
        echo_pump(e, i);
}

static void on_woken(void *ctx)
{
    struct echo *e = ctx;
    e->woken++;
    if (e->freeze) {
        e->freeze = false;
        sem_post(&e->frozen);
        sem_wait(&e->thawed);
        return;
    }
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

const struct engine_events echo_events = {
    .accepted = on_accepted,
    .peer_told = on_peer_told,
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
    e->opened = engine_create(&e->engine, &e->config, &echo_events, e, &e->err);
    bool opened = e->opened == 0; /* from the post on, echo_start() looks at it */
    sem_post(&e->started);
    if (opened)
        e->result = engine_run(e->engine);
    return NULL;
}

void echo_need_engine(void)
{
    struct error err;
    if (kind != ENGINE_URING || engine_probe_uring(&err) == 0)
        return;
    skip_because("%s", err.text);
}

void echo_start(struct echo *e, uint32_t conns_max, uint32_t buffers, uint32_t buffer_bytes)
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
                                       .peers = peers,
                                       .listen_fd = listener_open(&address, false, &e->err)};
    assert_true(e->config.listen_fd >= 0);
    e->port = listener_port(e->config.listen_fd);
    echo_need_engine();
    sem_init(&e->started, 0, 0);
    sem_init(&e->frozen, 0, 0);
    sem_init(&e->thawed, 0, 0);
    alarm(PATIENCE_S);
    pthread_create(&e->thread, NULL, echo_main, e);
    sem_wait(&e->started);
    if (e->opened < 0)
        fail_msg("%s", e->err.text);
}

void echo_join(struct echo *e)
{
    engine_wake(e->engine);
    pthread_join(e->thread, NULL);
    assert_int_equal(e->result, 0);
    assert_int_equal(e->accepted, e->closed);
}

void echo_end(struct echo *e)
{
    engine_destroy(e->engine);
    close(e->config.listen_fd);
    sem_destroy(&e->started);
    sem_destroy(&e->frozen);
    sem_destroy(&e->thawed);
}

int client(const struct echo *e)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(e->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* No time-outs on the socket: with them the kernel does not go on by itself (EINTR, signal(7)) when it interrupts
     * this thread to take the last ring down. */
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

void assert_echo(int fd, const char *data, size_t bytes)
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

void *send_all(void *arg)
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

char *pattern(size_t bytes)
{
    char *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)(i * 31 + i / 251);
    return data;
}
