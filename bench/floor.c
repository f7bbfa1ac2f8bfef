/* The floor: a responder on our own engines that reads and writes but does not parse.
 *
 * What tallyd costs above it is parsing, counting and answering; what it costs itself is the kernel's. It counts
 * bytes: requests have one length (load.c sees to it), and the answer has as many bytes as tallyd's.
 * Usage: floor uring|epoll PORT REQUEST_BYTES REQUESTS_PER_CONNECTION(0: no end) BATCH_WAIT_US
 *
 * Failure modes: anything unexpected ends the connection; it is a measuring instrument, not a server. */

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/engine.h"
#include "net/listener.h"

/* As the daemon's worker asks for them (net/worker.c). */
#define RECV_BUFFERS 1024
#define RECV_BUFFER_BYTES 2048
#define CONNS_MAX 8192

#define ANSWERS_MAX 64
static const char answer[] = "HTTP/1.1 204 No Content\r\nDate: Sat, 21 Nov 2026 03:42:54 GMT\r\n"
                             "Cache-Control: no-cache, no-store\r\n"
                             "Access-Control-Allow-Origin: *\r\nCross-Origin-Resource-Policy: cross-origin\r\n"
                             "Access-Control-Expose-Headers: X-Hit-Status\r\n"
                             "X-Hit-Status: counted\r\n\r\n";
#define ANSWER_BYTES (sizeof(answer) - 1)

struct floor_conn {
    size_t bytes;      /* of a request that is not whole yet */
    uint32_t owed;     /* answers */
    uint32_t answered; /* requests of this connection */
    bool sending, ending;
};

struct floor {
    struct engine *engine;
    size_t request_bytes;
    uint32_t per_connection;
    char answers[ANSWERS_MAX * ANSWER_BYTES];
    struct floor_conn conns[CONNS_MAX];
    uint32_t dirty[CONNS_MAX], dirty_count; /* received in this batch: answered at its end, as the daemon does */
};

static void answers_send(struct floor *f, uint32_t slot)
{
    struct floor_conn *c = &f->conns[slot];
    uint32_t n = c->owed < ANSWERS_MAX ? c->owed : ANSWERS_MAX;
    if (c->sending || n == 0)
        return;
    c->sending = true;
    c->owed -= n;
    c->answered += n;
    c->ending = f->per_connection != 0 && c->answered >= f->per_connection;
    engine_send(f->engine, slot, f->answers, n * ANSWER_BYTES);
}

static void on_accepted(void *ctx, uint32_t slot)
{
    struct floor *f = ctx;
    f->conns[slot] = (struct floor_conn){0};
}

static void on_received(void *ctx, uint32_t slot, const char *data, size_t bytes)
{
    struct floor *f = ctx;
    struct floor_conn *c = &f->conns[slot];
    (void)data;
    if (bytes == 0) {
        engine_close(f->engine, slot);
        return;
    }
    c->bytes += bytes;
    if (c->owed == 0 && c->bytes >= f->request_bytes && !c->sending)
        f->dirty[f->dirty_count++] = slot;
    c->owed += (uint32_t)(c->bytes / f->request_bytes);
    c->bytes %= f->request_bytes;
}

static void on_sent(void *ctx, uint32_t slot, int result)
{
    struct floor *f = ctx;
    f->conns[slot].sending = false;
    if (result < 0 || f->conns[slot].ending)
        engine_close(f->engine, slot);
    else
        answers_send(f, slot);
}

static void on_failed(void *ctx, uint32_t slot, int result)
{
    struct floor *f = ctx;
    (void)result;
    engine_close(f->engine, slot);
}

static void on_closed(void *ctx, uint32_t slot)
{
    struct floor *f = ctx;
    f->conns[slot] = (struct floor_conn){0}; /* a mark in `dirty` then finds nothing owed */
}

static void on_batch_end(void *ctx)
{
    struct floor *f = ctx;
    for (uint32_t i = 0; i < f->dirty_count; i++)
        answers_send(f, f->dirty[i]);
    f->dirty_count = 0;
}

static void on_nothing(void *ctx) { (void)ctx; }

static void on_tick(void *ctx, uint64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
}

static const struct engine_events floor_events = {
    .accepted = on_accepted,
    .received = on_received,
    .sent = on_sent,
    .failed = on_failed,
    .closed = on_closed,
    .accept_ended = on_nothing,
    .batch_end = on_batch_end,
    .woken = on_nothing,
    .tick = on_tick,
};

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: floor uring|epoll PORT REQUEST_BYTES REQUESTS_PER_CONNECTION BATCH_WAIT_US\n");
        return 64;
    }
    struct error err = {0};
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    *in = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct floor *f = calloc(1, sizeof(*f));
    int fd = listener_open(&address, true, &err);
    if (!f || fd < 0) {
        fprintf(stderr, "floor: %s\n", f ? err.text : "no memory");
        return 1;
    }
    f->request_bytes = strtoul(argv[3], NULL, 10);
    f->per_connection = (uint32_t)strtoul(argv[4], NULL, 10);
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        memcpy(f->answers + i * ANSWER_BYTES, answer, ANSWER_BYTES);
    struct engine_config config = {.kind = strcmp(argv[1], "epoll") == 0 ? ENGINE_EPOLL : ENGINE_URING,
                                   .conns_max = CONNS_MAX,
                                   .recv_buffers = RECV_BUFFERS,
                                   .recv_buffer_bytes = RECV_BUFFER_BYTES,
                                   .batch_wait_us = (uint32_t)atoi(argv[5]),
                                   .listen_fd = fd};
    signal(SIGPIPE, SIG_IGN);
    if (engine_create(&f->engine, &config, &floor_events, f, &err) < 0) {
        fprintf(stderr, "floor: %s\n", err.text);
        return 1;
    }
    return engine_run(f->engine) < 0; /* until SIGTERM */
}
