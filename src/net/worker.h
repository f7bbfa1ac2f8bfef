#pragma once
/* A worker, which is one thread with an engine, a listener, its connections and their timers.
 *
 * Thread: main creates, starts, drains, stops and destroys it. All else happens on the worker's own thread.
 * The admin port is a worker too, with another handler. */

#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "http/parser.h"
#include "io/engine.h"
#include "net/budget.h"
#include "net/handler.h"
#include "sync/histogram.h"

struct worker;

struct worker_timeouts {
    uint32_t head_ms;   /* request head, from its first byte (10 000) */
    uint32_t body_ms;   /* request body (10 000) */
    uint32_t send_ms;   /* no byte of an answer taken by the peer (15 000) */
    uint32_t idle_ms;   /* keep-alive (75 000) */
    uint32_t linger_ms; /* after an error answer (2 000) */
};

struct worker_config {
    const char *name;                /* thread name, "worker-0" */
    int cpu;                         /* to be pinned to, or -1 */
    struct sockaddr_storage address; /* to listen on */
    bool reuse_port;
    enum engine_kind engine;
    bool small_rings; /* see struct engine_config */
    uint32_t conns_max;
    uint32_t client_conns_max;  /* of one client, with `peers`. 0 is no limit */
    uint32_t client_conns_from; /* … held to it while so many are open in all */
    bool peers;                 /* the handler looks at reply.peer */
    bool defer_accept;          /* see listener_defer() */
    uint32_t batch_wait_us;
    struct worker_timeouts timeouts;
    struct http_limits limits;
    struct budget *budget; /* what clients may make the workers keep, borrowed. NULL without a bound */
    struct handler handler;
};

/* What a worker counts. Only the worker writes it, and any thread reads it (stat_read). */
struct worker_stats {
    uint64_t conns_accepted, conns_open; /* conns_open is a gauge */
    uint64_t requests, bytes_in, bytes_out, sends;
    uint64_t timeouts_head, timeouts_body, timeouts_send, timeouts_idle;
    uint64_t resets;
    uint64_t conns_shed_full,
        conns_shed_client; /* closed to have room, and refused because their client had its share */
    uint64_t buffer_bytes; /* of the budget, a gauge */
    uint64_t buffer_evicted, buffer_refused;
    struct histogram
        request_time; /* From whole to the answer's way to the kernel. Those that cannot be read are not in it */
};

/* Binds and listens on the calling thread, so that errors are known before any thread runs. Returns 0, or -errno with a
 * sentence. */
int worker_create(struct worker **out, const struct worker_config *config, struct error *err);
/* Starts the thread and waits until its engine is open or failed. Returns 0, or -errno with a sentence. It serves from
 * worker_serve() on. */
int worker_start(struct worker *w, struct error *err);
void worker_serve(struct worker *w);
/* Closes the engine of a worker that is stopped and has not served. The next worker_start() opens this one instead. */
void worker_refit(struct worker *w, enum engine_kind kind, bool small_rings, uint32_t conns_max);
/* Takes connections that are silent, too, from now on. Called LISTENER_DEFER_MS before worker_drain(), so that none is
 * left to the kernel then. */
void worker_defer_end(struct worker *w);
/* Stops accepting, but still serves what the kernel has queued. Answers with Connection: close, and closes idle
 * connections. The worker ends when none is left. */
void worker_drain(struct worker *w);
/* Tells whether it has ended, and joins then. worker_stop() ends it whatever is open, and joins. */
bool worker_ended(struct worker *w);
void worker_stop(struct worker *w);
void worker_destroy(struct worker *w);

/* Goes on with the request that the ticket names (handler.resume). Only on the worker's thread. Stale tickets are
 * ignored. */
void worker_resume(struct worker *w, struct ticket ticket);
/* Gives the buffer for more of the stream that the ticket names. Returns NULL when the stream has ended, or when the
 * peer has not taken what it was sent before. Then the newest state is worth more to it, later, than every one of them.
 * Only on the worker's thread. */
struct buf *worker_stream(struct worker *w, struct ticket ticket);
/* Ends it behind what was appended, also when the peer has not taken all of it. stream_ended() is not called. */
void worker_stream_end(struct worker *w, struct ticket ticket);
void worker_wake(struct worker *w); /* any thread */
const struct worker_stats *worker_stats(const struct worker *w);
const struct engine_stats *worker_engine_stats(const struct worker *w);
const char *worker_engine_name(const struct worker *w); /* once started: "uring" */
uint16_t worker_port(const struct worker *w);           /* the bound one, when 0 was asked for */
