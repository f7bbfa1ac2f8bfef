#pragma once
/* The I/O engine. It accepts, receives, sends and closes, and reports each as an event. net/ knows what the bytes mean.
 *
 * Thread: one engine a worker, created, run and destroyed on that worker's thread. Only engine_wake() and engine_stop()
 * may be called from others.
 * A connection is a slot, 0…conns_max-1. A slot is in use from accepted() until closed(), and not reused in between. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct engine;

#define ENGINE_TICK_MS 100
#define ENGINE_MEMORY_WAIT_MS 300

/* The longest queue of connections that a listener may have. It is the default of net.core.somaxconn (listen(2)). */
#define LISTEN_BACKLOG 4096

/* The most that one connection may still deliver after a pause, in bytes. On io_uring before Linux 6.17 a multishot
 * receive knows no such limit. There it is 32 of the ring's buffers, and what comes before the cancellation. */
#define ENGINE_RECV_MAX (16 * 1024)

enum engine_kind { ENGINE_URING, ENGINE_EPOLL };

struct engine_config {
    enum engine_kind kind;
    bool small_rings; /* io_uring with an eighth of the usual completion queue, where memory is short */
    uint32_t conns_max;
    uint32_t recv_buffers; /* a power of two. How many buffers the ring of io_uring has */
    uint32_t recv_buffer_bytes;
    uint32_t batch_wait_us; /* longest adaptive wait for a batch. 0 never waits */
    int listen_fd;          /* the caller's, listening and non-blocking */
    bool peers;             /* engine_peer() will be asked, which costs io_uring its direct descriptors */
};

/* All called on the engine's thread, from within engine_run(). */
struct engine_events {
    void (*accepted)(void *ctx, uint32_t slot);
    /* Bytes came. They are valid during the call only. With 0 bytes the peer has sent FIN. */
    void (*received)(void *ctx, uint32_t slot, const char *data, size_t bytes);
    /* The send ended. `result` is 0 when all bytes went out. With -errno the connection is dead, and to be closed. */
    void (*sent)(void *ctx, uint32_t slot, int result);
    /* What engine_peer_ask() asked for. Not said of one that has gone. */
    void (*peer_told)(void *ctx, uint32_t slot, const struct sockaddr_storage *peer);
    /* The receive side failed with -errno (ECONNRESET …). The connection is to be closed. */
    void (*failed)(void *ctx, uint32_t slot, int result);
    /* The slot's descriptor and bytes are not used any more, and the number may be reused. */
    void (*closed)(void *ctx, uint32_t slot);
    /* Called after engine_accept_stop(), when the listener has nothing more to give and may be closed. */
    void (*accept_ended)(void *ctx);
    /* A batch of completions has been handed over. What was gathered is to be sent now. */
    void (*batch_end)(void *ctx);
    /* engine_wake() was called since the last time. */
    void (*woken)(void *ctx);
    /* Called about every ENGINE_TICK_MS while there are connections, and before any batch that comes later. */
    void (*tick)(void *ctx, uint64_t now_ms);
};

/* What the engine counts. Its thread writes, any thread reads with stat_read(). */
struct engine_stats {
    uint64_t batches, completions; /* one system call a batch */
    uint64_t accepts, accept_errors, accept_pauses;
    uint64_t recv_no_buffers, stale_completions, cq_overflows;
};

/* Tells whether each connection takes a descriptor of the process (RLIMIT_NOFILE). Else the ring has its own. */
bool engine_takes_descriptors(enum engine_kind kind, bool peers);
/* Tries what the io_uring engine needs, on a ring of its own. Returns 0, or -errno with the remedy. */
int engine_probe_uring(struct error *err);
/* Returns 0, or -errno with a sentence that says what to do (EPERM, ENOSYS, ENOMEM, EMFILE …). -ENOMEM of a ring comes
 * only after ENGINE_MEMORY_WAIT_MS, because the kernel gives the rings of an ended process back late. */
int engine_create(struct engine **out, const struct engine_config *config, const struct engine_events *events,
                  void *ctx, struct error *err);
void engine_destroy(struct engine *e);
/* Runs until engine_stop(). Returns 0 or -errno. */
int engine_run(struct engine *e);

/* ---- the engine's thread ---- */
/* Sends. Only one send of a slot may be in flight. `data` stays the caller's and must not change until sent(). */
void engine_send(struct engine *e, uint32_t slot, const void *data, size_t bytes);
/* Stop and go on reading. Up to ENGINE_RECV_MAX bytes may still be delivered after a pause. */
void engine_recv_pause(struct engine *e, uint32_t slot);
void engine_recv_resume(struct engine *e, uint32_t slot);
/* Sends FIN to the peer and goes on reading (lingering close, RFC 9112 section 9.6). */
void engine_shutdown(struct engine *e, uint32_t slot);
/* Cancels what is in flight, then closes. Of the slot's events only closed() follows, and nothing else may be asked of
 * it. A second call does nothing. */
void engine_close(struct engine *e, uint32_t slot);
/* Takes no further connections. Those that the kernel has queued already are delivered, then accept_ended() follows. */
void engine_accept_stop(struct engine *e);
/* Gets the other end's address, as getpeername(2) does. Returns 0 or -errno, as -ENOTCONN when it has gone. Only with
 * config.peers. */
int engine_peer(const struct engine *e, uint32_t slot, struct sockaddr_storage *out);
/* Asks for the same where config.peers is not set: peer_told() says it, in a later batch. Never, where the engine
 * cannot: on epoll, and on io_uring before Linux 6.7. */
void engine_peer_ask(struct engine *e, uint32_t slot);
/* Monotonic, read once per batch. It is the first thing in an engine, so that asking for it is one load. */
static inline uint64_t engine_now_ms(const struct engine *e) { return *(const uint64_t *)(const void *)e; }
/* The same reading, finer. */
static inline uint64_t engine_now_us(const struct engine *e) { return ((const uint64_t *)(const void *)e)[1]; }

/* ---- any thread ---- */
void engine_wake(struct engine *e);
void engine_stop(struct engine *e);
const struct engine_stats *engine_stats(const struct engine *e);
const char *engine_name(const struct engine *e); /* "uring" | "epoll" */
