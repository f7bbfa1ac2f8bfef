#pragma once
/* What a connection asks of whoever answers requests (api/ on the public port, app/ on the admin port).
 *
 * Thread: the worker's.
 * handle() is called once for each complete request, in order. It appends a whole response to `reply->out` and returns
 * HANDLED. Or it takes the ticket and returns WAITING. Then the connection reads no further requests, and resume() is
 * called when the handler's owner calls worker_resume() on this thread, or at the latest after reply->wait_ms. It goes
 * on from what reply->waiting keeps, and may wait once more.
 * Or it returns STREAMING. Then what it appended was the beginning of an answer that goes on until the connection ends.
 * The handler appends more of it through worker_stream() when it likes, and ends it with worker_stream_end(). */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"
#include "http/request.h"

enum handler_result { HANDLED, WAITING, STREAMING };

struct ticket {
    uint32_t slot, generation;
};

struct reply {
    struct buf *out;
    const char *date;      /* HTTP_DATE_BYTES, current */
    bool close;            /* in: the connection will end after this answer, which says so. A handler may set it */
    bool expired;          /* in, of resume(): nobody resumed, so it answers with what there is */
    struct ticket ticket;  /* in: names this request in worker_resume() */
    uint32_t wait_ms;      /* out, with WAITING */
    void *waiting;         /* the handler's own, kept from handle() to resume(). NULL at first. With STREAMING,
                            * what stream_ended() is told */
    uint64_t now_ms;       /* monotonic */
    const struct ip *peer; /* in: the other end of the connection. NULL unless worker_config.peers */
};

struct handler {
    /* Tells whether the body is wanted, and so gathered up to the body limit. Else it is read and dropped. */
    bool (*wants_body)(void *ctx, const struct http_request *r);
    enum handler_result (*handle)(void *ctx, const struct http_request *r, struct reply *reply);
    /* Goes on with a request that is WAITING. Needed by handlers that return that. */
    enum handler_result (*resume)(void *ctx, const struct http_request *r, struct reply *reply);
    /* The connection ended while a request was WAITING. What its owner keeps for `waiting` goes. May be NULL. */
    void (*forget)(void *ctx, void *waiting);
    /* The connection of a stream ended before worker_stream_end() was called. What its owner keeps goes. Only with
     * STREAMING. */
    void (*stream_ended)(void *ctx, void *stream);
    /* Called about every ENGINE_TICK_MS while there are connections. May be NULL. */
    void (*tick)(void *ctx, uint64_t now_ms);
    /* The worker takes no new connections, and its streams are to end. May be NULL. */
    void (*draining)(void *ctx);
    /* A request could not be read. `reason` is a token for metrics. May be NULL. */
    void (*refused)(void *ctx, int status, const char *reason);
    struct slice refusal_headers; /* header lines of the answer to it, each with CRLF. May be empty */
    /* The date changed (once a second). May be NULL. */
    void (*date_changed)(void *ctx, const char *date);
    /* engine_wake() was called, so there may be something in the queues. May be NULL. */
    void (*woken)(void *ctx);
    /* Tells whether a connection from there begins with a PROXY protocol header. Only with worker_config.peers. May be
     * NULL. */
    bool (*sends_proxy_header)(void *ctx, const struct ip *peer);
    /* Tells whether that is a proxy, which brings connections of many clients. Likewise. */
    bool (*is_proxy)(void *ctx, const struct ip *peer);
    void *ctx;
};
