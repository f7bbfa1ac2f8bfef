#include "io/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/engine_ops.h"
#include "sync/atomic.h"

static const struct engine_ops *ops_of(enum engine_kind kind) { return kind == ENGINE_EPOLL ? &epoll_ops : &uring_ops; }

/* Direct descriptors cost less, but before Linux 6.13 a closed one is let go only when whatever else was in flight on
 * the ring has ended: one idle connection would keep thousands of dead ones (github.com/axboe/liburing/issues/1192). */
bool engine_takes_descriptors(enum engine_kind kind, bool peers)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    if (kind != ENGINE_URING || peers)
        return true;
    bool known = uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2;
    return !known || major < 6 || (major == 6 && minor < 13);
}

int engine_create(struct engine **out, const struct engine_config *config, const struct engine_events *events,
                  void *ctx, struct error *err)
{
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    if (wake_fd < 0)
        return error_set(err, -errno, "eventfd: %m; raise the limit of open files (ulimit -n)");

    struct engine *e;
    const struct engine_ops *ops = ops_of(config->kind);
    int r = ops->create(&e, config, wake_fd, err);
    if (r < 0) {
        close(wake_fd);
        return r;
    }
    e->ops = ops;
    e->config = *config;
    e->events = events;
    e->ctx = ctx;
    e->wake_fd = wake_fd;
    e->now_us = clock_mono_us();
    e->now_ms = e->ticked_ms = e->now_us / 1000;
    *out = e;
    return 0;
}

void engine_destroy(struct engine *e)
{
    int wake_fd = e->wake_fd;
    e->ops->destroy(e);
    close(wake_fd);
}

void engine_batch_begin(struct engine *e)
{
    e->now_us = clock_mono_us();
    e->now_ms = e->now_us / 1000;
    if (e->now_ms - e->ticked_ms >= ENGINE_TICK_MS) {
        e->ticked_ms = e->now_ms;
        e->events->tick(e->ctx, e->now_ms);
    }
}

void engine_wake(struct engine *e)
{
    uint64_t one = 1;
    /* Fails only when the counter is at its maximum: then a wake is on its way already. */
    ssize_t ignored = write(e->wake_fd, &one, sizeof(one));
    (void)ignored;
}

void engine_stop(struct engine *e)
{
    store_release_u32(&e->stopping, 1); /* partner: the load after a wake in the engine's run() */
    engine_wake(e);
}

int engine_run(struct engine *e) { return e->ops->run(e); }
void engine_send(struct engine *e, uint32_t slot, const void *data, size_t bytes)
{
    e->ops->send(e, slot, data, bytes);
}
void engine_recv_pause(struct engine *e, uint32_t slot) { e->ops->recv_pause(e, slot); }
void engine_recv_resume(struct engine *e, uint32_t slot) { e->ops->recv_resume(e, slot); }
void engine_shutdown(struct engine *e, uint32_t slot) { e->ops->shutdown(e, slot); }
void engine_close(struct engine *e, uint32_t slot) { e->ops->close(e, slot); }
void engine_accept_stop(struct engine *e) { e->ops->accept_stop(e); }

int engine_peer(const struct engine *e, uint32_t slot, struct sockaddr_storage *out)
{
    socklen_t bytes = sizeof(*out);
    assert(e->config.peers);
    return getpeername(e->ops->descriptor(e, slot), (struct sockaddr *)out, &bytes) < 0 ? -errno : 0;
}

const struct engine_stats *engine_stats(const struct engine *e) { return &e->stats; }
const char *engine_name(const struct engine *e) { return e->ops->name; }

void engine_peer_ask(struct engine *e, uint32_t slot)
{
    if (e->ops->peer_ask)
        e->ops->peer_ask(e, slot);
}
