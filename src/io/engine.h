#pragma once
/* The I/O engine: completion style. It accepts, receives, sends and closes; what the bytes mean is net/'s.
 *
 * Thread: one engine per worker, created, run and destroyed on that worker's thread; only
 * engine_wake() and engine_stop() may be called from others.
 *
 * A connection is a slot number (0…conns_max-1). The engine keeps its own state per slot; net/ keeps
 * a parallel array. A slot is in use from accepted() until closed() and is not reused in between. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct engine;

#define ENGINE_TICK_MS 100
#define ENGINE_MEMORY_WAIT_MS 300

/* The longest queue of connections that a listener may have: net.core.somaxconn's default (tcp(7), listen(2)). */
#define LISTEN_BACKLOG 4096

/* What one connection may still deliver after a pause, at most. On io_uring before Linux 6.17 a multishot receive knows
 * no such limit: there it is what a receive takes in one go, 32 of the ring's buffers, and what comes before the
 * cancellation. */
#define ENGINE_RECV_MAX (16 * 1024)

enum engine_kind { ENGINE_URING, ENGINE_EPOLL };

struct engine_config {
    enum engine_kind kind;
    bool small_rings; /* io_uring: an eighth of the usual completion queue, for where memory is short */
    uint32_t conns_max;
    uint32_t recv_buffers; /* power of two; io_uring: entries of the provided-buffer ring */
    uint32_t recv_buffer_bytes;
    uint32_t batch_wait_us; /* longest adaptive wait for a batch; 0: never wait */
    int listen_fd;          /* owned by the caller; listening, non-blocking */
    bool peers;             /* engine_peer() will be asked: costs io_uring its direct descriptors */
};

/* All called on the engine's thread, from within engine_run(). */
struct engine_events {
    void (*accepted)(void *ctx, uint32_t slot);
    /* Bytes came; valid only during the call. bytes == 0: the peer sent FIN. */
    void (*received)(void *ctx, uint32_t slot, const char *data, size_t bytes);
    /* The send ended: all `bytes` went out (0), or -errno and the connection is dead (close it). */
    void (*sent)(void *ctx, uint32_t slot, int result);
    /* The receive side failed with -errno (ECONNRESET …): close it. */
    void (*failed)(void *ctx, uint32_t slot, int result);
    /* The slot's descriptor and bytes are not used any more; the number may be reused. */
    void (*closed)(void *ctx, uint32_t slot);
    /* After engine_accept_stop(): the listener has nothing more to give and may be closed. */
    void (*accept_ended)(void *ctx);
    /* A batch of completions has been handed over; send what was gathered. */
    void (*batch_end)(void *ctx);
    /* engine_wake() was called since the last time. */
    void (*woken)(void *ctx);
    /* About every ENGINE_TICK_MS while there are connections; always before a batch that comes later than that. */
    void (*tick)(void *ctx, uint64_t now_ms);
};

/* What the engine counts; written by its thread, read by any (stat_read). */
struct engine_stats {
    uint64_t batches, completions; /* one system call a batch */
    uint64_t accepts, accept_errors, accept_pauses;
    uint64_t recv_no_buffers, stale_completions, cq_overflows;
};

/* Does each connection take a descriptor of the process (RLIMIT_NOFILE), or one of the ring's own (direct)? */
bool engine_takes_descriptors(enum engine_kind kind, bool peers);
/* Tries what the io_uring engine needs, on a ring of its own; 0, or -errno with the remedy. */
int engine_probe_uring(struct error *err);
/* 0 or -errno with a sentence that says what to do (EPERM, ENOSYS, ENOMEM, EMFILE …). ENOMEM of a ring comes after
 * ENGINE_MEMORY_WAIT_MS only: the rings of a process that has ended are given back late. */
int engine_create(struct engine **out, const struct engine_config *config, const struct engine_events *events,
                  void *ctx, struct error *err);
void engine_destroy(struct engine *e);
/* Runs until engine_stop(); 0 or -errno. */
int engine_run(struct engine *e);

/* ---- the engine's thread ---- */
/* One send in flight per slot; `data` stays the caller's and must not change until sent(). */
void engine_send(struct engine *e, uint32_t slot, const void *data, size_t bytes);
/* Stop and go on reading; bytes already received may still be delivered after a pause. */
void engine_recv_pause(struct engine *e, uint32_t slot);
void engine_recv_resume(struct engine *e, uint32_t slot);
/* Half-close: FIN to the peer, go on reading (lingering close, RFC 9112 section 9.6). */
void engine_shutdown(struct engine *e, uint32_t slot);
/* Cancel what is in flight, then close; closed() follows, and no other event of the slot. Idempotent.
 * Nothing else may be asked of the slot after it. */
void engine_close(struct engine *e, uint32_t slot);
/* No further connections: those that the kernel has already queued are delivered, then accept_ended(). */
void engine_accept_stop(struct engine *e);
/* The other end's address, as getpeername(2) says it; 0 or -errno (-ENOTCONN: gone already). Needs config.peers. */
int engine_peer(const struct engine *e, uint32_t slot, struct sockaddr_storage *out);
/* Monotonic, read once per batch. It is the first thing in an engine, so that asking for it is one load. */
static inline uint64_t engine_now_ms(const struct engine *e) { return *(const uint64_t *)(const void *)e; }

/* ---- any thread ---- */
void engine_wake(struct engine *e);
void engine_stop(struct engine *e);
const struct engine_stats *engine_stats(const struct engine *e);
const char *engine_name(const struct engine *e); /* "uring" | "epoll" */
