#pragma once
/* An echo server above a real engine, and clients below it, over loopback. */

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
#include "support/skip.h"

#define MAX 32
#define PATIENCE_S 60 /* SIGALRM ends a test that hangs */

/* Under test. With peers io_uring works on ordinary descriptors, without on direct ones where the kernel is new enough.
 */
extern enum engine_kind kind;
extern bool peers;

struct echo {
    struct engine_config config;
    struct engine *engine;
    pthread_t thread;
    sem_t started;
    int opened;
    int result;
    struct error err;
    uint16_t port;
    struct echo_conn {
        char *data; /* received, not yet sent; owned */
        size_t bytes, sending;
        char *out;
        bool open, fin, closing;
    } conns[MAX];
    bool hold;   /* pause each connection at its first byte */
    bool freeze; /* woken, stop until `thawed` is posted */
    sem_t frozen, thawed;
    bool accept_ended;
    int accepted, closed, failed, woken, open_most;
    struct sockaddr_storage peer; /* of the last accepted */
};

extern const struct engine_events echo_events;

/* Skips the test where io_uring is asked for and refused. */
void echo_need_engine(void);
void echo_start(struct echo *e, uint32_t conns_max, uint32_t buffers, uint32_t buffer_bytes);
/* Ends the accepting, waits for the last connection. */
void echo_join(struct echo *e);
void echo_end(struct echo *e);
int client(const struct echo *e);
void reset(int fd);
void assert_echo(int fd, const char *data, size_t bytes);

/* Sends without waiting for the echo, from another thread. */
struct sender {
    int fd;
    const char *data;
    size_t bytes;
};

void *send_all(void *arg);
char *pattern(size_t bytes);
