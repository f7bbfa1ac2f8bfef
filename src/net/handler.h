#pragma once
/* What a connection asks of whoever answers requests (api/ on the public port, app/ on the admin port).
 *
 * Thread: the worker's. handle() is called once per complete request, in order. It appends a whole
 * response to `reply->out` and returns HANDLED, or returns WAITING after it has taken the ticket: then the
 * connection stops reading further requests, and the same request is handled again (reply->again = true)
 * when the handler's owner calls worker_resume(ticket) on this thread, or at the latest when
 * reply->wait_ms has passed. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"
#include "http/request.h"

enum handler_result { HANDLED, WAITING };

struct ticket {
    uint32_t slot, generation;
};

struct reply {
    struct buf *out;
    const char *date;      /* HTTP_DATE_BYTES, current */
    bool close;            /* in: the connection will end after this answer, say so in it; a handler may set it */
    bool again;            /* in: second call for the same request */
    bool expired;          /* in, with again: nobody resumed, answer with what there is */
    struct ticket ticket;  /* in: names this request in worker_resume() */
    uint32_t wait_ms;      /* out, with WAITING */
    void *waiting;         /* handler's own, kept from the first call to the second; NULL at first */
    uint64_t now_ms;       /* monotonic */
    const struct ip *peer; /* in: the other end of the connection; NULL unless worker_config.peers */
};

struct handler {
    /* Is the body of this request wanted (gathered up to the body limit), or read and dropped? */
    bool (*wants_body)(void *ctx, const struct http_request *r);
    enum handler_result (*handle)(void *ctx, const struct http_request *r, struct reply *reply);
    /* The connection ended while a request was WAITING: drop reply->waiting's owner-side state. May be NULL. */
    void (*forget)(void *ctx, void *waiting);
    /* A request could not be read: the reason token, for metrics. May be NULL. */
    void (*refused)(void *ctx, int status, const char *reason);
    struct slice refusal_headers; /* of the answer to it: header lines, each ending in CRLF; may be empty */
    /* The date changed (once a second). May be NULL. */
    void (*date_changed)(void *ctx, const char *date);
    /* engine_wake() was called: look at queues. May be NULL. */
    void (*woken)(void *ctx);
    /* Does a connection from there begin with a PROXY protocol header? Only with worker_config.peers; NULL: none does.
     */
    bool (*sends_proxy_header)(void *ctx, const struct ip *peer);
    /* Is that a proxy, which brings connections of many clients? Only with worker_config.peers; NULL: none is. */
    bool (*is_proxy)(void *ctx, const struct ip *peer);
    void *ctx;
};
