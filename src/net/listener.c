#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/engine.h"

#define HANDOVER_MS 4000

static socklen_t address_bytes(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static int explain(struct error *err, int code, const struct sockaddr_storage *address, const char *step)
{
    char host[64] = "?", port[8] = "?";
    getnameinfo((const struct sockaddr *)address, address_bytes(address), host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    const char *remedy = "";
    if (code == -EADDRINUSE)
        remedy = ": another program listens there; stop it or choose another port";
    else if (code == -EADDRNOTAVAIL)
        remedy = ": this machine does not have that address; use one of its own, or 0.0.0.0 for all";
    else if (code == -EACCES)
        remedy = ": ports below 1024 need CAP_NET_BIND_SERVICE; use a higher one";
    const char *open = address->ss_family == AF_INET6 ? "[" : "", *end = *open ? "]" : "";
    return error_set(err, code, "cannot listen on %s%s%s:%s (%s: %s)%s", open, host, end, port, step, strerror(-code),
                     remedy);
}

static int set_flag(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* Of a process that has ended, io_uring gives back the listener a moment later, in a kernel worker (io_ring_exit_work):
 * one that follows it at once, as after a crash, must wait for that rather than give up. It takes some 10 ms; on two
 * cores under a load of 20, more than a second was met. */
static int bind_in_time(int fd, const struct sockaddr_storage *address)
{
    uint64_t deadline = clock_mono_ms() + HANDOVER_MS;

    while (bind(fd, (const struct sockaddr *)address, address_bytes(address)) < 0) {
        if (errno != EADDRINUSE || clock_mono_ms() >= deadline)
            return -errno;
        usleep(5000);
    }
    return 0;
}

int listener_open(const struct sockaddr_storage *address, bool reuse_port, struct error *err)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return explain(err, -errno, address, "socket");

    const char *step = "setsockopt";
    int r = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    if (r == 0 && reuse_port)
        r = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    if (r == 0)
        r = set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    if (r == 0) {
        step = "bind";
        r = bind_in_time(fd, address);
    }
    if (r == 0) {
        step = "listen";
        r = listen(fd, LISTEN_BACKLOG) < 0 ? -errno : 0;
    }
    if (r < 0) {
        close(fd);
        return explain(err, r, address, step);
    }
    return fd;
}

/* A hint: a kernel that does not know it ends them later. Accepted sockets inherit it. */
void listener_give_up_after(int fd, uint32_t ms)
{
    unsigned value = ms;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof(value));
}

/* A hint, too. One second is the time of one SYN-ACK, and the kernel counts in those. */
void listener_defer(int fd, bool on)
{
    int seconds = on;
    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

uint16_t listener_port(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t bytes = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &bytes) < 0)
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}
