/* The epoll engine: the same events from readiness, for where io_uring is denied. The only file that knows epoll.
 *
 * Happy path: level-triggered; one receive a readable connection and turn into one shared buffer, a send at once;
 * EPOLLOUT only while a peer is slow. What ends at once (a send, a close) is told after the batch, never from within
 * the call that asked for it, so that connection code sees the order that io_uring would give. A batch accepts last.
 * A client that ends one connection and opens another is never seen with two: the kernel holds the end back while we
 * send on that connection, and reports the new one before it.
 *
 * Failure modes: no descriptor or no slot for a connection: the listener leaves the set until the next close or tick,
 * for level-triggered it would report the same again at once. A reset while not reading is told as failed. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/probes.h"
#include "io/engine_ops.h"
#include "sync/atomic.h"

#define EVENTS_MAX 512
#define RECV_BYTES (16 * 1024)
_Static_assert(RECV_BYTES <= ENGINE_RECV_MAX, "one receive after the other, each of which may end in a pause");

/* What epoll_event.data says: these two, or a slot. */
#define DATA_LISTENER UINT64_MAX
#define DATA_WAKE (UINT64_MAX - 1)

enum { EP_OPEN = 1, EP_PAUSED = 2, EP_RECV_ENDED = 4, EP_CLOSING = 8, EP_SENT = 16 };

struct ep_slot {
    int fd;
    int sent_result;       /* with EP_SENT */
    const char *send_data; /* borrowed until sent() */
    size_t send_bytes;
    uint32_t events; /* registered */
    uint32_t next;   /* in the list of free slots */
    uint8_t flags;
    bool listed; /* in `ended` */
};

enum ep_accept { EP_ACCEPTING, EP_ACCEPT_PAUSED, EP_ACCEPT_ENDED };

struct ep {
    struct engine base;
    int fd;
    struct ep_slot *slots; /* conns_max, owned */
    uint32_t *ended;       /* slots with EP_SENT or EP_CLOSING to tell of; 2 × conns_max, owned */
    uint32_t ended_count;
    uint32_t free_head; /* conns_max: none */
    uint32_t open;
    enum ep_accept accept;
    bool accept_due; /* in this batch */
    char buffer[RECV_BYTES];
};

static struct ep *ep_of(struct engine *e) { return (struct ep *)e; }

static void end_later(struct ep *p, uint32_t slot)
{
    if (p->slots[slot].listed)
        return;
    p->slots[slot].listed = true;
    p->ended[p->ended_count++] = slot;
}

static void watch(struct ep *p, uint32_t slot)
{
    struct ep_slot *s = &p->slots[slot];
    uint32_t wanted = s->flags & (EP_PAUSED | EP_RECV_ENDED) ? 0 : EPOLLIN;
    if (s->send_data)
        wanted |= EPOLLOUT;
    if (wanted == s->events || s->flags & EP_CLOSING)
        return;
    struct epoll_event event = {.events = wanted, .data.u64 = slot};
    s->events = wanted;
    epoll_ctl(p->fd, EPOLL_CTL_MOD, s->fd, &event); /* of a registered descriptor: cannot fail */
}

/* ---- the interface's calls ---- */

static void send_step(struct ep *p, uint32_t slot)
{
    struct ep_slot *s = &p->slots[slot];
    ssize_t n = send(s->fd, s->send_data, s->send_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        n = 0;
    int failed = n < 0 ? -errno : 0;
    if (n > 0) {
        s->send_data += n;
        s->send_bytes -= (size_t)n;
    }
    if (failed || s->send_bytes == 0) {
        s->send_data = NULL;
        s->sent_result = failed;
        s->flags |= EP_SENT;
        end_later(p, slot);
    }
    watch(p, slot);
}

static void ep_send(struct engine *e, uint32_t slot, const void *data, size_t bytes)
{
    struct ep *p = ep_of(e);
    struct ep_slot *s = &p->slots[slot];
    assert((s->flags & (EP_OPEN | EP_CLOSING | EP_SENT)) == EP_OPEN && !s->send_data && bytes > 0);
    s->send_data = data;
    s->send_bytes = bytes;
    send_step(p, slot);
}

static void ep_recv_pause(struct engine *e, uint32_t slot)
{
    struct ep *p = ep_of(e);
    p->slots[slot].flags |= EP_PAUSED;
    watch(p, slot);
}

static void ep_recv_resume(struct engine *e, uint32_t slot)
{
    struct ep *p = ep_of(e);
    p->slots[slot].flags &= (uint8_t)~EP_PAUSED;
    watch(p, slot);
}

static void ep_shutdown(struct engine *e, uint32_t slot) { shutdown(ep_of(e)->slots[slot].fd, SHUT_WR); }

static void ep_close(struct engine *e, uint32_t slot)
{
    struct ep *p = ep_of(e);
    struct ep_slot *s = &p->slots[slot];
    if (s->flags & EP_CLOSING)
        return;
    s->flags |= EP_CLOSING;
    close(s->fd); /* leaves the epoll set with it */
    end_later(p, slot);
}

/* ---- accepting ---- */

static void listener_watch(struct ep *p, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.u64 = DATA_LISTENER};
    epoll_ctl(p->fd, EPOLL_CTL_MOD, p->base.config.listen_fd, &event);
    p->accept = on ? EP_ACCEPTING : EP_ACCEPT_PAUSED;
    stat_add(&p->base.stats.accept_pauses, !on);
}

static int slot_accepted(struct ep *p, int fd)
{
    uint32_t slot = p->free_head;
    struct ep_slot *s = &p->slots[slot];
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = slot};
    if (epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    p->free_head = s->next;
    *s = (struct ep_slot){.fd = fd, .flags = EP_OPEN, .events = EPOLLIN};
    p->open++;
    stat_add(&p->base.stats.accepts, 1);
    p->base.events->accepted(p->base.ctx, slot);
    return 0;
}

/* Takes what is queued, as far as there are slots; 0, or why it stopped early. */
static int accept_all(struct ep *p)
{
    while (p->open < p->base.config.conns_max) {
        int fd = accept4(p->base.config.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int r = fd < 0 ? -errno : slot_accepted(p, fd);
        if (r == -EAGAIN)
            return 0;
        if (r == 0 || r == -EINTR)
            continue;
        if (fd >= 0)
            close(fd);
        stat_add(&p->base.stats.accept_errors, 1);
        if (r != -ECONNABORTED && r != -EPROTO)
            return r;
    }
    return -ENFILE;
}

static void accept_now(struct ep *p)
{
    p->accept_due = false;
    if (p->accept == EP_ACCEPTING && accept_all(p) < 0)
        listener_watch(p, false);
}

static void accept_retry(struct ep *p)
{
    if (p->accept == EP_ACCEPT_PAUSED && p->open < p->base.config.conns_max)
        listener_watch(p, true);
}

static void ep_accept_stop(struct engine *e)
{
    struct ep *p = ep_of(e);
    if (p->accept == EP_ACCEPT_ENDED)
        return;
    accept_all(p);
    p->accept = EP_ACCEPT_ENDED;
    epoll_ctl(p->fd, EPOLL_CTL_DEL, p->base.config.listen_fd, NULL);
    p->base.events->accept_ended(p->base.ctx);
}

/* ---- events ---- */

static void recv_failed(struct ep *p, uint32_t slot, int reason)
{
    p->slots[slot].flags |= EP_RECV_ENDED;
    p->base.events->failed(p->base.ctx, slot, reason);
    watch(p, slot);
}

static void on_readable(struct ep *p, uint32_t slot)
{
    struct ep_slot *s = &p->slots[slot];
    ssize_t n = recv(s->fd, p->buffer, sizeof(p->buffer), MSG_DONTWAIT);
    if (n > 0) {
        p->base.events->received(p->base.ctx, slot, p->buffer, (size_t)n);
    } else if (n == 0) {
        s->flags |= EP_RECV_ENDED;
        p->base.events->received(p->base.ctx, slot, NULL, 0);
        watch(p, slot);
    } else if (errno != EAGAIN && errno != EINTR) {
        recv_failed(p, slot, -errno);
    }
}

static int socket_error(int fd)
{
    int error = 0;
    socklen_t bytes = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
    return error ? -error : -ECONNRESET;
}

static void on_slot(struct ep *p, uint32_t slot, uint32_t events)
{
    struct ep_slot *s = &p->slots[slot];
    if (!(s->flags & EP_CLOSING) && events & EPOLLOUT && s->send_data)
        send_step(p, slot);
    if (s->flags & EP_CLOSING || (s->flags & EP_SENT && s->sent_result)) /* sent() says that it is dead, and why */
        return;
    if (s->events & EPOLLIN && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        on_readable(p, slot);
    else if (events & (EPOLLHUP | EPOLLERR)) /* reported whether asked for or not: the connection is gone */
        recv_failed(p, slot, socket_error(s->fd));
}

static void on_wake(struct ep *p)
{
    uint64_t ignored;
    if (read(p->base.wake_fd, &ignored, sizeof(ignored)) > 0 && !load_acquire_u32(&p->base.stopping))
        p->base.events->woken(p->base.ctx); /* partner of the load: engine_stop() */
}

static void on_event(struct ep *p, const struct epoll_event *event)
{
    if (event->data.u64 == DATA_LISTENER)
        p->accept_due = true;
    else if (event->data.u64 == DATA_WAKE)
        on_wake(p);
    else
        on_slot(p, (uint32_t)event->data.u64, event->events);
}

static void slot_free(struct ep *p, uint32_t slot)
{
    p->slots[slot] = (struct ep_slot){.fd = -1, .next = p->free_head};
    p->free_head = slot;
    p->open--;
    p->base.events->closed(p->base.ctx, slot);
    accept_retry(p);
}

/* Tells of the sends and closes that ended during the batch. A slot may come twice: sent, and closed because of it. */
static void ended_tell(struct ep *p)
{
    for (uint32_t i = 0; i < p->ended_count; i++) {
        uint32_t slot = p->ended[i];
        struct ep_slot *s = &p->slots[slot];
        s->listed = false;
        if (s->flags & EP_CLOSING) {
            slot_free(p, slot);
        } else {
            s->flags &= (uint8_t)~EP_SENT;
            p->base.events->sent(p->base.ctx, slot, s->sent_result);
        }
    }
    p->ended_count = 0;
}

static void batch_end(struct ep *p)
{
    p->base.events->batch_end(p->base.ctx);
    while (p->ended_count > 0) { /* what follows from an end may end at once, too */
        ended_tell(p);
        p->base.events->batch_end(p->base.ctx);
    }
}

static int ep_run(struct engine *e)
{
    struct ep *p = ep_of(e);
    struct epoll_event events[EVENTS_MAX];
    while (!load_relaxed_u32(&e->stopping)) { /* partner: engine_stop(), which wakes us */
        /* Without connections nothing can time out: sleep until something happens. */
        int timeout = p->open > 0 || p->accept == EP_ACCEPT_PAUSED ? ENGINE_TICK_MS : -1;
        int n = epoll_wait(p->fd, events, EVENTS_MAX, timeout);
        if (n < 0 && errno != EINTR)
            return -errno;
        engine_batch_begin(e);
        for (int i = 0; i < n; i++)
            on_event(p, &events[i]);
        batch_end(p);
        if (p->accept_due) {
            accept_now(p);
            batch_end(p);
        }
        if (n == 0)
            accept_retry(p);
        stat_add(&e->stats.batches, 1);
        stat_add(&e->stats.completions, n > 0 ? (uint64_t)n : 0);
        PROBE(batch, n);
    }
    return 0;
}

/* ---- set-up ---- */

static void ep_free(struct ep *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->ended);
    free(p->slots);
    free(p);
}

static void ep_destroy(struct engine *e)
{
    struct ep *p = ep_of(e);
    for (uint32_t i = 0; i < e->config.conns_max; i++)
        if (p->slots[i].flags & EP_OPEN && !(p->slots[i].flags & EP_CLOSING))
            close(p->slots[i].fd);
    ep_free(p);
}

static int watch_new(struct ep *p, int fd, uint64_t data)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};
    return epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int ep_create(struct engine **out, const struct engine_config *config, int wake_fd, struct error *err)
{
    struct ep *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, -ENOMEM, "epoll: no memory");
    p->base.config = *config;
    p->slots = calloc(config->conns_max, sizeof(*p->slots));
    p->ended = calloc(config->conns_max, 2 * sizeof(*p->ended));
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    int r = !p->slots || !p->ended ? -ENOMEM : p->fd < 0 ? -errno : 0;
    if (r == 0)
        r = watch_new(p, config->listen_fd, DATA_LISTENER);
    if (r == 0)
        r = watch_new(p, wake_fd, DATA_WAKE);
    if (r < 0) {
        ep_free(p);
        return error_set(err, r, "epoll: %s; raise the limit of open files (ulimit -n) or lower --max-conns",
                         strerror(-r));
    }
    for (uint32_t i = 0; i < config->conns_max; i++)
        p->slots[i] = (struct ep_slot){.fd = -1, .next = i + 1};
    *out = &p->base;
    return 0;
}

static int ep_descriptor(const struct engine *e, uint32_t slot) { return ((const struct ep *)e)->slots[slot].fd; }

const struct engine_ops epoll_ops = {
    .name = "epoll",
    .create = ep_create,
    .destroy = ep_destroy,
    .run = ep_run,
    .send = ep_send,
    .recv_pause = ep_recv_pause,
    .recv_resume = ep_recv_resume,
    .shutdown = ep_shutdown,
    .close = ep_close,
    .descriptor = ep_descriptor,
    .accept_stop = ep_accept_stop,
};
