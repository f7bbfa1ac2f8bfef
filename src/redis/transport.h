#pragma once
/* A byte stream to one node, as a table of functions. It is plain TCP, TLS, or the simulator's network.
 *
 * Thread: the flusher's. No function waits, except that transport_tcp resolves names inside open().
 * Failure modes: any function may return -errno, and then the stream is good for nothing but close(). From open(),
 * -ENOENT means that there is no such name, and -EAGAIN that no name server answers. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream; /* each transport's own */

struct transport_ops {
    /* Starts connecting. Returns 0 or -errno, and leaves `*out` untouched on failure. */
    int (*open)(void *ctx, const char *host, uint16_t port, struct stream **out);
    /* Called right after open(). The other end may prove to be `name` instead of the host. The function is NULL where
     * nothing is proved. */
    void (*accept_name)(struct stream *s, const char *name);
    /* -EINPROGRESS while connecting, 0 when connected, else why it failed. */
    int (*status)(struct stream *s);
    /* Bytes taken (at least 1), -EAGAIN, or -errno. */
    ssize_t (*try_send)(struct stream *s, const void *data, size_t bytes);
    /* Bytes given, 0 at the end of the stream, -EAGAIN, or -errno. */
    ssize_t (*try_recv)(struct stream *s, void *out, size_t bytes);
    /* Returns the descriptor to poll and its poll(2) events, or -1. `sending` says that the user has bytes left. */
    int (*pollable)(const struct stream *s, int sending, short *events);
    /* More about the last failure than its number. It may be empty, and the function may be NULL. */
    const char *(*reason)(const struct stream *s);
    void (*close)(struct stream *s);
};

/* What open() failed for, in words. */
static inline const char *transport_open_failure(int failed)
{
    switch (failed) {
    case -ENOENT: return "the name does not resolve: there is no such host";
    case -EAGAIN: return "the name does not resolve: no name server answers";
    default: return "connecting failed";
    }
}

struct transport {
    const struct transport_ops *ops;
    void *ctx;
};
