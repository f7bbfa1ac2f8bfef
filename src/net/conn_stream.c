/* Answers that go on: what the handler appends between requests, and how they end. */

#include <stdlib.h>

#include "net/conns.h"

/* The stream is the last answer of its connection. What it was asked with is not needed any more. */
void conn_stream_begin(struct conns *cs, struct conn *c, void *stream)
{
    if (c->partial) {
        conn_time_wait(cs, c->partial);
        c->partial->waiting = NULL; /* the handler has taken it back */
    }
    conn_partial_drop(cs, c);
    buf_clear(&cs->scratch.data);
    c->partial = calloc(1, sizeof(*c->partial));
    if (!c->partial) {
        cs->handler.stream_ended(cs->handler.ctx, stream);
        conn_close(cs, c);
        return;
    }
    c->partial->stream = stream;
    c->phase_ms = 0;
    conn_move(c, CONN_STREAM);
}

static struct conn *stream_find(struct conns *cs, struct ticket ticket)
{
    struct conn *c = &cs->conns[ticket.slot];

    return c->state == CONN_STREAM && c->generation == ticket.generation ? c : NULL;
}

struct buf *conns_stream(struct conns *cs, struct ticket ticket)
{
    struct conn *c = stream_find(cs, ticket);

    return c && !c->sending.data && c->out.bytes == 0 ? conn_out(cs, c) : NULL;
}

/* Half-closed before it is closed, as whoever follows a stream may be sending: a reset could overtake what it was sent
 * last (RFC 9112 section 9.6). */
void conns_stream_end(struct conns *cs, struct ticket ticket)
{
    struct conn *c = stream_find(cs, ticket);

    if (!c)
        return;
    c->partial->stream = NULL;
    conn_partial_drop(cs, c);
    conn_move(c, CONN_LAST);
    c->linger = true;
    conn_settle(cs, c);
}
