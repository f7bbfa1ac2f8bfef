#include "net/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/clock.h"
#include "net/conns.h"
#include "net/listener.h"
#include "sync/atomic.h"

#define RECV_BUFFERS 1024
#define RECV_BUFFER_BYTES 2048
#define KERNEL_PATIENCE 2 /* in send deadlines: with one, a client could be ended that is about to come back */

struct worker {
    struct worker_config config;
    struct conns conns; /* the worker's thread; its statistics are read by others */
    int listen_fd;      /* owned; -1 after the drain */
    uint16_t port;
    pthread_t thread;
    bool running; /* main: the thread has to be joined */
    bool serving; /* main: written before it posts `serve`, after which the thread reads it */
    sem_t started, serve;
    int start_result; /* written by the thread before it posts `started` */
    struct error start_error;
    uint32_t draining; /* stored by main, loaded by the thread after a wake */
    uint32_t ended;    /* stored by the thread as its last word, loaded by main */
};

int worker_create(struct worker **out, const struct worker_config *config, struct error *err)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return error_set(err, -ENOMEM, "no memory for a worker");
    w->config = *config;
    w->listen_fd = listener_open(&config->address, config->reuse_port, err);
    if (w->listen_fd < 0) {
        int r = w->listen_fd;
        free(w);
        return r;
    }
    listener_give_up_after(w->listen_fd, KERNEL_PATIENCE * config->timeouts.send_ms);
    if (config->defer_accept)
        listener_defer(w->listen_fd, true);
    w->port = listener_port(w->listen_fd);
    sem_init(&w->started, 0, 0);
    sem_init(&w->serve, 0, 0);
    *out = w;
    return 0;
}

static void on_woken(void *ctx)
{
    struct worker *w = (struct worker *)((char *)ctx - offsetof(struct worker, conns));
    if (load_acquire_u32(&w->draining)) /* partner: worker_drain() */
        conns_drain(&w->conns);
    conns_events.woken(ctx);
}

/* The last of the listener: a closed one stops getting connections from its reuse-port group. */
static void on_accept_ended(void *ctx)
{
    struct worker *w = (struct worker *)((char *)ctx - offsetof(struct worker, conns));
    close(w->listen_fd);
    w->listen_fd = -1;
    conns_events.accept_ended(ctx);
}

static int worker_open(struct worker *w, struct engine_events *events)
{
    const struct worker_config *config = &w->config;
    struct engine_config engine = {
        .kind = config->engine,
        .small_rings = config->small_rings,
        .conns_max = config->conns_max,
        .recv_buffers = RECV_BUFFERS,
        .recv_buffer_bytes = RECV_BUFFER_BYTES,
        .batch_wait_us = config->batch_wait_us,
        .listen_fd = w->listen_fd,
        .peers = config->peers,
    };
    struct conns *cs = &w->conns;
    cs->handler = config->handler;
    cs->limits = config->limits;
    cs->timeouts = config->timeouts;
    cs->max = config->conns_max;
    cs->wants_peers = config->peers;
    cs->purse.budget = config->budget;
    cs->client_max = config->client_conns_max;
    cs->client_from = config->client_conns_from;
    *events = conns_events;
    events->woken = on_woken;
    events->accept_ended = on_accept_ended;
    int r = conns_init(cs, clock_mono_ms());
    if (r < 0)
        return error_set(&w->start_error, r, "no memory for %u connections: lower --max-conns", config->conns_max);
    r = engine_create(&cs->engine, &engine, events, cs, &w->start_error);
    if (r < 0)
        conns_fini(cs);
    return r; /* on failure the engine stays NULL */
}

static void pin_to(int cpu)
{
    cpu_set_t set;
    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set); /* a hint: it runs unpinned as well */
}

static void await(sem_t *sem)
{
    while (sem_wait(sem) < 0 && errno == EINTR)
        ;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct engine_events events;
    pthread_setname_np(pthread_self(), w->config.name);
    pin_to(w->config.cpu);
    w->start_result = worker_open(w, &events);
    capabilities_drop(); /* the listener is bound and the ring is there: CAP_IPC_LOCK was the last that helped */
    int r = w->start_result;
    sem_post(&w->started);
    if (r < 0)
        return NULL;
    await(&w->serve);
    if (w->serving)
        engine_run(w->conns.engine);
    store_release_u32(&w->ended, 1); /* partner: worker_ended() */
    return NULL;
}

int worker_start(struct worker *w, struct error *err)
{
    int r = -pthread_create(&w->thread, NULL, worker_main, w);
    if (r < 0)
        return error_set(err, r, "cannot start a thread: %s", strerror(-r));
    await(&w->started);
    if (w->start_result < 0) {
        pthread_join(w->thread, NULL);
        return error_set(err, w->start_result, "%s", w->start_error.text);
    }
    w->running = true;
    return 0;
}

void worker_serve(struct worker *w)
{
    w->serving = true;
    sem_post(&w->serve);
}

void worker_defer_end(struct worker *w) { listener_defer(w->listen_fd, false); }

void worker_drain(struct worker *w)
{
    store_release_u32(&w->draining, 1); /* partner: on_woken() */
    engine_wake(w->conns.engine);
}

static void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
    w->running = false;
}

bool worker_ended(struct worker *w)
{
    if (w->running && load_acquire_u32(&w->ended)) /* partner: worker_main() */
        worker_join(w);
    return !w->running;
}

void worker_stop(struct worker *w)
{
    if (!w->running)
        return;
    if (w->serving)
        engine_stop(w->conns.engine);
    else
        sem_post(&w->serve);
    worker_join(w);
}

static void worker_close(struct worker *w)
{
    if (!w->conns.engine)
        return;
    engine_destroy(w->conns.engine);
    conns_fini(&w->conns);
    w->conns.engine = NULL;
}

void worker_refit(struct worker *w, enum engine_kind kind, bool small_rings, uint32_t conns_max)
{
    worker_close(w);
    w->ended = 0;
    w->config.engine = kind;
    w->config.small_rings = small_rings;
    w->config.conns_max = conns_max;
}

void worker_destroy(struct worker *w)
{
    worker_stop(w);
    worker_close(w); /* kept until now: its statistics may have been read */
    if (w->listen_fd >= 0)
        close(w->listen_fd);
    sem_destroy(&w->serve);
    sem_destroy(&w->started);
    free(w);
}

void worker_resume(struct worker *w, struct ticket ticket) { conns_resume(&w->conns, ticket); }
struct buf *worker_stream(struct worker *w, struct ticket ticket) { return conns_stream(&w->conns, ticket); }
void worker_stream_end(struct worker *w, struct ticket ticket) { conns_stream_end(&w->conns, ticket); }
void worker_wake(struct worker *w) { engine_wake(w->conns.engine); }
const struct worker_stats *worker_stats(const struct worker *w) { return &w->conns.stats; }
const struct engine_stats *worker_engine_stats(const struct worker *w) { return engine_stats(w->conns.engine); }
const char *worker_engine_name(const struct worker *w) { return engine_name(w->conns.engine); }
uint16_t worker_port(const struct worker *w) { return w->port; }
