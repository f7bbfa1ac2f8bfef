/* The load: one thread that sends GET requests and accounts for every one of them.
 *
 * wrk stops with requests under way, so its count can never equal the server's. This one stops sending, waits for
 * what it is owed, and only then reports: sent = 2xx + other + unanswered, always.
 *
 * Happy path: connect all, print "ready", wait for a line on standard input (the caller reads the server's CPU time
 * there), send, stop after --seconds or --requests, wait for the last answers, print one JSON object.
 * Failure modes: an answer that is no HTTP/1.1, or a connection that ends with answers due, is counted and the
 * connection made again; answers that do not come within 30 s of the last send are "unanswered".
 *
 * Closed loop: each connection sends `pipeline` requests, waits for the answers, sends again. With --rate, open loop:
 * requests are due at fixed times and take an idle connection; "corrected" latency counts from the due time. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "histogram.h"
#include "keys.h"

#define IN_BYTES 16384
#define EVENTS_MAX 512
#define NS_PER_S UINT64_C(1000000000)
#define GRACE_NS (30 * NS_PER_S)

struct options {
    uint16_t port;
    uint32_t connections, pipeline, per_connection; /* per_connection 0: no end */
    double seconds, rate;                           /* rate 0: closed loop */
    uint64_t requests_max;                          /* 0: as many as fit in `seconds` */
    const char *path, *keys, *head;                 /* head: further lines, each with its CRLF */
};

enum conn_state { CONN_CONNECTING, CONN_IDLE, CONN_WAITING, CONN_CLOSING };

struct conn {
    int fd;
    enum conn_state state;
    uint32_t due;  /* answers that are owed */
    uint32_t left; /* requests that may still be sent on it */
    uint64_t sent_ns, intended_ns;
    size_t have;
    char in[IN_BYTES];
};

struct load {
    struct options options;
    struct keys keys;
    struct sockaddr_in address;
    int epoll_fd;
    struct conn *conns;
    uint32_t *idle, idle_count; /* --rate: connections without a request under way */
    uint32_t connected;
    bool started, stopping;
    uint64_t start_ns, stop_ns, end_ns;
    uint64_t sent, ok, other, errors, opened, owed;
    struct histogram latency, corrected;
    char *out; /* owned; the batch that is being written */
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void conn_open(struct load *l, struct conn *c)
{
    const int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(c->fd, (struct sockaddr *)&l->address, sizeof(l->address)) < 0 && errno != EINPROGRESS)
        die("connect");
    c->state = CONN_CONNECTING;
    c->due = 0;
    c->have = 0;
    c->left = l->options.per_connection ? l->options.per_connection : UINT32_MAX;
    l->opened++;
    /* Edge-triggered both ways, so that no request costs an epoll_ctl(). */
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
}

/* All requests have one length, whatever the key and whether it is the last: floor.c counts by it. */
static size_t request_put(struct load *l, char *out, bool last)
{
    char *at = stpcpy(stpcpy(out, "GET "), l->options.path);
    keys_next(&l->keys, at);
    at = stpcpy(stpcpy(at + KEY_BYTES, " HTTP/1.1\r\nHost: 127.0.0.1\r\n"), l->options.head);
    if (l->options.per_connection)
        at = stpcpy(at, last ? "Connection: close\r\n" : "X-Last-One: false\r\n");
    return (size_t)(stpcpy(at, "\r\n") - out);
}

static bool conn_write(struct conn *c, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(c->fd, data, bytes);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n < 0) { /* rare: a batch is far smaller than a socket's buffer */
            poll(&(struct pollfd){.fd = c->fd, .events = POLLOUT}, 1, 1000);
            continue;
        }
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

static void batch_send(struct load *l, struct conn *c, uint64_t intended_ns)
{
    size_t bytes = 0;
    uint32_t n = l->options.pipeline < c->left ? l->options.pipeline : c->left;
    if (l->options.requests_max && l->options.requests_max - l->sent < n)
        n = (uint32_t)(l->options.requests_max - l->sent);
    for (uint32_t i = 0; i < n; i++, c->left--)
        bytes += request_put(l, l->out + bytes, c->left == 1);
    c->state = CONN_WAITING;
    c->due = n;
    c->sent_ns = now_ns();
    c->intended_ns = intended_ns ? intended_ns : c->sent_ns;
    l->sent += n;
    l->owed += n;
    /* A connection that is already dead shows itself at the next read. */
    conn_write(c, l->out, bytes);
    if (l->options.requests_max && l->sent == l->options.requests_max)
        l->stopping = true;
}

static void conn_ready(struct load *l, struct conn *c)
{
    c->state = CONN_IDLE;
    if (!l->started || l->stopping)
        return;
    if (l->options.rate > 0)
        l->idle[l->idle_count++] = (uint32_t)(c - l->conns);
    else
        batch_send(l, c, 0);
}

static void idle_remove(struct load *l, const struct conn *c)
{
    for (uint32_t i = 0; i < l->idle_count; i++) {
        if (l->idle[i] == (uint32_t)(c - l->conns)) {
            l->idle[i] = l->idle[--l->idle_count];
            return;
        }
    }
}

static void conn_ended(struct load *l, struct conn *c)
{
    if (c->state == CONN_IDLE)
        idle_remove(l, c);
    l->errors += c->due + (c->state == CONN_CONNECTING);
    l->owed -= c->due;
    close(c->fd);
    c->fd = -1;
    c->due = 0;
    if (!l->stopping)
        conn_open(l, c);
}

static void answer_count(struct load *l, struct conn *c, int status, uint64_t now)
{
    histogram_add(&l->latency, now - c->sent_ns);
    histogram_add(&l->corrected, now - c->intended_ns);
    if (status >= 200 && status < 300)
        l->ok++;
    else
        l->other++;
    c->due--;
    l->owed--;
}

/* false: what came is not an answer to what was asked. */
static bool conn_parse(struct load *l, struct conn *c)
{
    size_t at = 0;
    uint64_t now = now_ns();
    while (at < c->have) {
        int status;
        ssize_t n = answer_parse(c->in + at, c->have - at, &status);
        if (n < 0 || (n > 0 && c->due == 0))
            return false;
        if (n == 0)
            break;
        at += (size_t)n;
        answer_count(l, c, status, now);
    }
    memmove(c->in, c->in + at, c->have - at);
    c->have -= at;
    return c->have < IN_BYTES;
}

static void conn_read(struct load *l, struct conn *c)
{
    for (;;) {
        size_t room = IN_BYTES - c->have;
        ssize_t n = read(c->fd, c->in + c->have, room);
        if (n < 0 && errno == EAGAIN)
            return;
        c->have += n > 0 ? (size_t)n : 0;
        if (n <= 0 || !conn_parse(l, c)) {
            conn_ended(l, c);
            return;
        }
        if (c->state == CONN_WAITING && c->due == 0) {
            if (c->left == 0)
                c->state = CONN_CLOSING; /* the peer's FIN follows */
            else
                conn_ready(l, c);
        }
        /* Edge-triggered: what comes later is announced again; a FIN that came with the answer is not. */
        if ((size_t)n < room && c->state != CONN_CLOSING)
            return;
    }
}

static void conn_event(struct load *l, struct conn *c, uint32_t events)
{
    if (c->fd < 0)
        return;
    if (c->state == CONN_CONNECTING && (events & EPOLLOUT) && !(events & EPOLLERR)) {
        l->connected++;
        conn_ready(l, c);
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        conn_read(l, c);
}

static void events_handle(struct load *l, const struct timespec *timeout)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_pwait2(l->epoll_fd, events, EVENTS_MAX, timeout, NULL);
    if (n < 0 && errno != EINTR)
        die("epoll_pwait2");
    for (int i = 0; i < n; i++)
        conn_event(l, events[i].data.ptr, events[i].events);
}

/* --rate: what is due goes out; the time until the next is due is the longest wait. */
static struct timespec due_send(struct load *l)
{
    double interval = (double)NS_PER_S * l->options.pipeline / l->options.rate;
    uint64_t now = now_ns(), due;
    for (;;) {
        due = l->start_ns + (uint64_t)((double)(l->sent / l->options.pipeline) * interval);
        if (due > now || l->idle_count == 0)
            break;
        batch_send(l, &l->conns[l->idle[--l->idle_count]], due);
    }
    uint64_t wait = due > now ? due - now : NS_PER_S / 100;
    return (struct timespec){.tv_nsec = (long)(wait < NS_PER_S / 100 ? wait : NS_PER_S / 100)};
}

static void load_connect(struct load *l)
{
    const struct timespec wait = {.tv_sec = 1};
    uint64_t until = now_ns() + GRACE_NS;
    for (uint32_t i = 0; i < l->options.connections; i++)
        conn_open(l, &l->conns[i]);
    while (l->connected < l->options.connections) {
        if (now_ns() > until || l->errors > 0) {
            fprintf(stderr, "load: only %u of %u connections\n", l->connected, l->options.connections);
            exit(1);
        }
        events_handle(l, &wait);
    }
}

static void load_run(struct load *l)
{
    struct timespec wait = {.tv_nsec = 10000000};
    l->started = true;
    l->start_ns = now_ns();
    l->stop_ns = l->start_ns + (uint64_t)(l->options.seconds * (double)NS_PER_S);
    for (uint32_t i = 0; i < l->options.connections && !l->stopping; i++)
        conn_ready(l, &l->conns[i]);
    while (!l->stopping) {
        if (l->options.rate > 0)
            wait = due_send(l);
        events_handle(l, &wait);
        l->stopping = l->stopping || now_ns() >= l->stop_ns;
    }
    uint64_t until = now_ns() + GRACE_NS;
    while (l->owed > 0 && now_ns() < until)
        events_handle(l, &wait);
    l->end_ns = now_ns();
}

static void histogram_print(const char *name, const struct histogram *h)
{
    printf(", \"%s\": {\"count\": %" PRIu64 ", \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, "
           "\"p99.99\": %.1f, \"max\": %.1f}",
           name, h->count, (double)histogram_quantile(h, 0.5) / 1e3, (double)histogram_quantile(h, 0.9) / 1e3,
           (double)histogram_quantile(h, 0.99) / 1e3, (double)histogram_quantile(h, 0.999) / 1e3,
           (double)histogram_quantile(h, 0.9999) / 1e3, (double)h->max / 1e3);
}

static void load_print(const struct load *l)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"sent\": %" PRIu64 ", \"ok\": %" PRIu64 ", \"other\": %" PRIu64 ", \"unanswered\": %" PRIu64
           ", \"connections_opened\": %" PRIu64 ", \"seconds\": %.6f, \"load_cpu_seconds\": %.6f",
           l->sent, l->ok, l->other, l->errors + l->owed, l->opened, (double)(l->end_ns - l->start_ns) / 1e9,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    histogram_print("latency_us", &l->latency);
    if (l->options.rate > 0)
        histogram_print("corrected_us", &l->corrected);
    printf("}\n");
}

static struct options options_parse(int argc, char **argv)
{
#define TAKES(name, letter)                                                                                            \
    {                                                                                                                  \
        name, required_argument, NULL, letter                                                                          \
    }
    static const struct option names[] = {
        TAKES("port", 'p'),    TAKES("connections", 'c'), TAKES("pipeline", 'P'), TAKES("per-connection", 'n'),
        TAKES("seconds", 's'), TAKES("requests", 'r'),    TAKES("rate", 'R'),     TAKES("path", 'u'),
        TAKES("keys", 'k'),    TAKES("head", 'h'),        {NULL, 0, NULL, 0}};
    struct options o = {.connections = 64, .pipeline = 1, .seconds = 1, .keys = "hot", .head = ""};
    o.path = "/v1/hit/blog/";
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'p': o.port = (uint16_t)atoi(optarg); break;
        case 'c': o.connections = (uint32_t)atoi(optarg); break;
        case 'P': o.pipeline = (uint32_t)atoi(optarg); break;
        case 'n': o.per_connection = (uint32_t)atoi(optarg); break;
        case 's': o.seconds = atof(optarg); break;
        case 'r': o.requests_max = strtoull(optarg, NULL, 10); break;
        case 'R': o.rate = atof(optarg); break;
        case 'u': o.path = optarg; break;
        case 'k': o.keys = optarg; break;
        case 'h': o.head = optarg; break;
        default: exit(64);
        }
    }
    if (!o.port || !o.connections || !o.pipeline) {
        fprintf(stderr, "load: --port, and --connections and --pipeline above 0\n");
        exit(64);
    }
    return o;
}

int main(int argc, char **argv)
{
    struct load *l = calloc(1, sizeof(*l));
    if (!l)
        die("memory");
    l->options = options_parse(argc, argv);
    l->address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(l->options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    l->conns = calloc(l->options.connections, sizeof(*l->conns));
    l->idle = calloc(l->options.connections, sizeof(*l->idle));
    l->out = malloc(l->options.pipeline * (strlen(l->options.path) + strlen(l->options.head) + 128));
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!l->conns || !l->idle || !l->out || l->epoll_fd < 0 || keys_init(&l->keys, l->options.keys, 1) < 0)
        die("set-up (are --keys right?)");
    load_connect(l);
    printf("ready\n");
    fflush(stdout);
    if (getchar() == EOF)
        return 1; /* whoever asked for the load has gone */
    load_run(l);
    load_print(l);
    keys_fini(&l->keys);
    free(l->out);
    free(l->idle);
    free(l->conns);
    free(l);
}
