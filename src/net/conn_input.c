/* From bytes to requests: the reading half of a connection. */

#include <errno.h>
#include <stdlib.h>

#include "net/conns.h"
#include "net/proxy_header.h"
#include "sync/atomic.h"

void conn_partial_drop(struct conns *cs, struct conn *c)
{
    struct partial *p = c->partial;
    if (!p)
        return;
    if (p->waiting && cs->handler.forget)
        cs->handler.forget(cs->handler.ctx, p->waiting);
    if (p->stream)
        cs->handler.stream_ended(cs->handler.ctx, p->stream);
    buf_fini(&p->head);
    buf_fini(&p->data);
    free(p);
    c->partial = NULL;
}

/* The request outlives the buffer that it came in: a partial of its own, or NULL without memory. */
static struct partial *partial_get(struct conns *cs, struct conn *c)
{
    struct partial *p = c->partial;
    if (p)
        return p;
    p = c->partial = malloc(sizeof(*p));
    if (!p)
        return NULL;
    *p = cs->scratch;
    cs->scratch.data = (struct buf){0};
    return p;
}

/* The same once its head is whole: keeps the bytes too, of the head and of a body that lies in a buffer of the
 * engine's. */
static struct partial *partial_keep(struct conns *cs, struct conn *c)
{
    struct partial *p = partial_get(cs, c);
    if (!p)
        return NULL;
    if (p->request.body.bytes > 0 && p->data.bytes == 0) {
        buf_append_slice(&p->data, p->request.body);
        p->request.body = buf_slice(&p->data);
    }
    bool kept = p->head.bytes > 0; /* since it waited for its body */
    if (!kept)
        buf_append_slice(&p->head, p->at);
    if (p->head.failed || p->data.failed) {
        conn_partial_drop(cs, c);
        return NULL;
    }
    if (!kept)
        http_request_rebase(&p->request, p->at.at, p->head.data);
    return p;
}

void conn_time_wait(struct conns *cs, const struct partial *p)
{
    if (p->whole_us)
        histogram_add(&cs->stats.request_time, engine_now_us(cs->engine) - p->whole_us, 1);
}

static void request_ended(struct conns *cs, struct conn *c, bool close)
{
    if (c->partial) {
        conn_time_wait(cs, c->partial);
        c->partial->waiting = NULL; /* the handler has taken it back */
        conn_partial_drop(cs, c);
    }
    buf_clear(&cs->scratch.data);
    c->phase_ms = 0;
    enum conn_state to = close ? CONN_LAST : CONN_HEAD;
    if (c->state != to)
        conn_move(c, to);
    /* What a draining server leaves unread would turn its close into a reset, and eat the answer. */
    c->linger = close && cs->draining;
}

static void request_waits(struct conns *cs, struct conn *c, const struct reply *reply)
{
    struct partial *p = partial_keep(cs, c);
    if (!p) {
        if (cs->handler.forget)
            cs->handler.forget(cs->handler.ctx, reply->waiting);
        conn_close(cs, c);
        return;
    }
    p->waiting = reply->waiting;
    p->deadline_ms = reply->now_ms + reply->wait_ms;
    if (p->whole_us == 0) { /* it waits for the first time */
        p->whole_us = engine_now_us(cs->engine);
        cs->requests_timed++;
    }
    conn_move(c, CONN_WAITING);
}

static inline struct reply reply_begin(struct conns *cs, struct conn *c, const struct partial *p)
{
    return (struct reply){
        .out = conn_out(cs, c),
        .date = cs->date,
        .close = !p->request.keep_alive || cs->draining,
        .ticket = {conn_slot(cs, c), c->generation},
        .waiting = p->waiting,
        .now_ms = engine_now_ms(cs->engine),
        .peer = cs->peers ? &cs->peers[conn_slot(cs, c)] : NULL,
    };
}

static inline void reply_end(struct conns *cs, struct conn *c, enum handler_result result, const struct reply *reply)
{
    if (result == HANDLED)
        request_ended(cs, c, reply->close);
    else if (result == WAITING)
        request_waits(cs, c, reply);
    else
        conn_stream_begin(cs, c, reply->waiting);
}

void conn_handle(struct conns *cs, struct conn *c, struct partial *p)
{
    struct reply reply = reply_begin(cs, c, p);
    stat_add(&cs->stats.requests, 1);
    reply_end(cs, c, cs->handler.handle(cs->handler.ctx, &p->request, &reply), &reply);
}

void conn_resume(struct conns *cs, struct conn *c, bool expired)
{
    struct reply reply = reply_begin(cs, c, c->partial);
    reply.expired = expired;
    reply_end(cs, c, cs->handler.resume(cs->handler.ctx, &c->partial->request, &reply), &reply);
}

/* Takes body bytes from `in`; true when the request is whole. */
static bool body_step(struct conns *cs, struct conn *c, struct partial *p, struct slice *in)
{
    enum http_result result;
    do {
        struct slice run = {0};
        result = http_body_feed(&p->body, in, &run);
        if (run.bytes == 0 || !p->wanted || result == HTTP_BAD)
            continue;
        if (result == HTTP_DONE && p->data.bytes == 0)
            p->request.body = run; /* whole and in one piece: used where it lies */
        else
            buf_append_slice(&p->data, run);
    } while (result == HTTP_MORE && in->bytes > 0);

    if (result == HTTP_BAD) {
        conn_refuse(cs, c, p->body.status, p->body.reason, &p->request);
        return false;
    }
    if (p->data.failed) {
        conn_close(cs, c);
        return false;
    }
    if (result == HTTP_DONE && p->data.bytes > 0)
        p->request.body = buf_slice(&p->data);
    return result == HTTP_DONE;
}

/* The head is whole: on to its body, if it has one. */
static void body_begin(struct conns *cs, struct conn *c, struct partial *p, struct slice *in)
{
    struct http_request *r = &p->request;
    p->wanted = cs->handler.wants_body(cs->handler.ctx, r);
    p->data.bytes_max = cs->limits.body_bytes_max;
    http_body_init(&p->body, &cs->limits, r);
    if (r->expect_continue && r->minor_version > 0 && in->bytes == 0)
        buf_append_slice(conn_out(cs, c), SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    conn_move(c, CONN_BODY);
    if (in->bytes > 0 && body_step(cs, c, p, in)) {
        conn_handle(cs, c, p);
        return;
    }
    if (c->state != CONN_BODY)
        return;
    c->phase_ms = engine_now_ms(cs->engine);
    if (!partial_keep(cs, c))
        conn_close(cs, c);
}

/* One step through a head; false when it needs more bytes. */
static bool head_step(struct conns *cs, struct conn *c, struct slice *in)
{
    struct partial *p = c->partial ? c->partial : &cs->scratch;
    struct http_request *r = &p->request;
    switch (http_parser_head(&c->parser, in->at, in->bytes, r)) {
    case HTTP_MORE:
        if (!partial_get(cs, c)) /* what was read so far, for when the rest comes */
            conn_close(cs, c);
        return false;
    case HTTP_BAD: conn_refuse(cs, c, c->parser.status, c->parser.reason, r); return true;
    case HTTP_DONE: break;
    }
    p->at = (struct slice){in->at, c->parser.head_bytes};
    r->body = (struct slice){0};
    in->at += c->parser.head_bytes;
    in->bytes -= c->parser.head_bytes;
    http_parser_init(&c->parser, &cs->limits);
    if (!r->chunked && r->content_length == 0)
        conn_handle(cs, c, p);
    else
        body_begin(cs, c, p, in);
    return true;
}

/* false when it needs more bytes. */
static bool proxy_step(struct conns *cs, struct conn *c, struct slice *in)
{
    size_t bytes = 0;
    switch (proxy_header_read(*in, &bytes, &cs->peers[conn_slot(cs, c)])) {
    case PROXY_MORE: return false;
    case PROXY_BAD: conn_refuse(cs, c, 400, "proxy_header", NULL); return true;
    case PROXY_DONE: break;
    }
    in->at += bytes;
    in->bytes -= bytes;
    c->proxy_due = false;
    return true;
}

/* Requests in `in`, one after the other; what is left of it needs more bytes, or time. */
static void requests_run(struct conns *cs, struct conn *c, struct slice *in)
{
    while (in->bytes > 0 && conn_reads(c) && !conn_blocked(cs, c)) {
        if (c->state == CONN_BODY) {
            if (body_step(cs, c, c->partial, in))
                conn_handle(cs, c, c->partial);
        } else if (!(c->proxy_due ? proxy_step(cs, c, in) : head_step(cs, c, in))) {
            if (c->phase_ms == 0)
                c->phase_ms = engine_now_ms(cs->engine);
            break;
        }
    }
    if (c->state == CONN_LAST && in->bytes > 0)
        c->linger = true; /* what the peer sent behind its last request is not read */
}

void conn_pump(struct conns *cs, struct conn *c)
{
    if (c->carry.bytes > 0) {
        struct slice in = buf_slice(&c->carry);
        requests_run(cs, c, &in);
        if (c->state == CONN_CLOSING)
            return;
        buf_consume(&c->carry, c->carry.bytes - in.bytes);
        if (c->carry.bytes == 0)
            buf_fini(&c->carry);
    }
    conn_settle(cs, c);
}

void conn_input(struct conns *cs, struct conn *c, const char *data, size_t bytes)
{
    struct slice in = {data, bytes};
    if (c->carry.bytes == 0)
        requests_run(cs, c, &in);
    if (in.bytes > 0 && conn_takes(c)) {
        bool more_of_carry = c->carry.bytes > 0;
        c->carry.bytes_max = CARRY_BYTES_MAX;
        buf_append_slice(&c->carry, in);
        if (c->carry.failed) {
            conn_close(cs, c);
            return;
        }
        if (more_of_carry) {
            conn_pump(cs, c);
            return;
        }
    }
    if (c->state != CONN_CLOSING)
        conn_settle(cs, c);
}

void conns_resume(struct conns *cs, struct ticket ticket)
{
    struct conn *c = &cs->conns[ticket.slot];
    if (c->state != CONN_WAITING || c->generation != ticket.generation)
        return;
    conn_resume(cs, c, false);
    if (c->state != CONN_CLOSING)
        conn_pump(cs, c);
}
