#include "redis/transport_tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream {
    int fd; /* -1: none */
    int connected;
    struct addrinfo *addresses; /* owned */
    const struct addrinfo *next;
};

static int resolve_error(int gai)
{
    switch (gai) {
    case EAI_MEMORY: return -ENOMEM;
    case EAI_AGAIN: return -EAGAIN;
    case EAI_SYSTEM: return errno ? -errno : -EIO;
    default: return -ENOENT;
    }
}

static int resolve(const char *host, uint16_t port, struct addrinfo **out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    int gai = getaddrinfo(host, service, &hints, out);
    if (gai) {
        /* AI_ADDRCONFIG hides loopback addresses on a host without any other. */
        hints.ai_flags = AI_NUMERICSERV;
        gai = getaddrinfo(host, service, &hints, out);
    }
    return gai ? resolve_error(gai) : 0;
}

static int socket_connect(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)
        return fd;
    int failed = -errno;
    close(fd);
    return failed;
}

/* The next address that can at least be tried; the last reason when there is none. */
static int stream_try_next(struct stream *s, int reason)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    while (s->next) {
        const struct addrinfo *address = s->next;
        s->next = address->ai_next;
        int fd = socket_connect(address);
        if (fd >= 0) {
            s->fd = fd;
            return 0;
        }
        reason = fd;
    }
    return reason;
}

static void tcp_close(struct stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    freeaddrinfo(s->addresses);
    free(s);
}

static int tcp_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    struct addrinfo *addresses;
    (void)ctx;

    int failed = resolve(host, port, &addresses);
    if (failed)
        return failed;
    struct stream *s = malloc(sizeof(*s));
    if (!s) {
        freeaddrinfo(addresses);
        return -ENOMEM;
    }
    *s = (struct stream){.fd = -1, .addresses = addresses, .next = addresses};
    failed = stream_try_next(s, -EHOSTUNREACH);
    if (failed) {
        tcp_close(s);
        return failed;
    }
    *out = s;
    return 0;
}

/* Connecting over and over to a local port that nobody has, a socket may at last be given that port for its own end,
 * and meets itself (TCP's simultaneous open): no server, and in the way of the one that comes back. */
static bool met_itself(int fd)
{
    struct sockaddr_storage near, far;
    socklen_t near_bytes = sizeof(near), far_bytes = sizeof(far);

    memset(&near, 0, sizeof(near));
    memset(&far, 0, sizeof(far));
    return getsockname(fd, (struct sockaddr *)&near, &near_bytes) == 0 &&
           getpeername(fd, (struct sockaddr *)&far, &far_bytes) == 0 && near_bytes == far_bytes &&
           memcmp(&near, &far, near_bytes) == 0;
}

static int tcp_status(struct stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    int reason = 0;
    socklen_t bytes = sizeof(reason);

    if (s->connected)
        return 0;
    if (poll(&p, 1, 0) <= 0)
        return -EINPROGRESS;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &reason, &bytes) < 0)
        reason = errno;
    if (reason == 0 && met_itself(s->fd))
        reason = ECONNREFUSED;
    if (reason == 0) {
        s->connected = 1;
        return 0;
    }
    int failed = stream_try_next(s, -reason);
    return failed ? failed : -EINPROGRESS;
}

static ssize_t tcp_try_send(struct stream *s, const void *data, size_t bytes)
{
    ssize_t n = send(s->fd, data, bytes, MSG_NOSIGNAL);

    if (n >= 0)
        return n;
    return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t tcp_try_recv(struct stream *s, void *out, size_t bytes)
{
    ssize_t n = recv(s->fd, out, bytes, 0);

    if (n >= 0)
        return n;
    return errno == EINTR ? -EAGAIN : -errno;
}

static int tcp_pollable(const struct stream *s, int sending, short *events)
{
    *events = (short)((s->connected ? POLLIN : 0) | (!s->connected || sending ? POLLOUT : 0));
    return s->fd;
}

static const struct transport_ops tcp_ops = {
    .open = tcp_open,
    .status = tcp_status,
    .try_send = tcp_try_send,
    .try_recv = tcp_try_recv,
    .pollable = tcp_pollable,
    .close = tcp_close,
};

struct transport transport_tcp(void) { return (struct transport){.ops = &tcp_ops}; }
