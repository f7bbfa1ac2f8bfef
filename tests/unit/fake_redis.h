#pragma once
/* A Redis in memory behind a transport, with connections that can be cut at any byte and bytes that arrive late.
 *
 * What a client sends is executed at once unless the connection is cut; what was cut off can be delivered later
 * (`late`), on the same old connection, as a slow network does. */

#include "fake_store.h"

/* ---- bytes ---- */

static inline bool parse_count(const struct buf *b, size_t *at, char kind, long *n)
{
    const char *end = memchr(b->data + *at, '\n', b->bytes - *at);

    if (!end)
        return false;
    assert(b->data[*at] == kind);
    *n = 0; /* by hand: strtol() wants a NUL */
    for (const char *digit = b->data + *at + 1; *digit != '\r'; digit++)
        *n = *n * 10 + (*digit - '0');
    *at = (size_t)(end + 1 - b->data);
    return true;
}

/* INCR is INCRBY 1. */
static inline void fake_spell_out(struct fake_command *c)
{
    if (strcmp(c->args[0], "INCR") != 0)
        return;
    free(c->args[0]);
    c->args[0] = strdup("INCRBY");
    c->args[c->count++] = strdup("1");
}

/* One whole command from the front of `b`; false: not there yet. */
static inline bool fake_parse(struct buf *b, struct fake_command *c)
{
    size_t at = 0;
    long count, bytes;

    *c = (struct fake_command){0};
    if (b->bytes == 0 || !parse_count(b, &at, '*', &count))
        return false;
    assert(count >= 1 && count <= FAKE_ARGS_MAX);
    for (long i = 0; i < count; i++) {
        if (at >= b->bytes || !parse_count(b, &at, '$', &bytes) || b->bytes - at < (size_t)bytes + 2) {
            command_free(c);
            return false;
        }
        char *arg = calloc(1, (size_t)bytes + 1);
        memcpy(arg, b->data + at, (size_t)bytes);
        c->args[c->count++] = arg;
        at += (size_t)bytes + 2;
    }
    buf_consume(b, at);
    fake_spell_out(c);
    return true;
}

static inline void fake_cut(struct stream *s, enum fake_ending ending)
{
    s->cut = true;
    s->ending = ending;
}

static inline void fake_serve(struct stream *s)
{
    struct fake_command c;

    while (!s->redis->mute && !s->dead && fake_parse(&s->in, &c)) {
        size_t before = s->out.bytes;
        bool last = s->redis->cut_after_command && strcmp(c.args[0], s->redis->cut_after_command) == 0;
        fake_command(s, &c);
        command_free(&c);
        s->replies_lost |= last;
        if (s->replies_lost)
            s->out.bytes = before;
        if (!last)
            continue;
        s->redis->cut_after_command = NULL;
        fake_cut(s, FAKE_RESET);
        return;
    }
}

/* What was cut off on its way to the server gets there after all. */
static inline void fake_deliver_late(struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        struct stream *s = r->conns[i];
        if (!s || s->dead || s->late.bytes == 0)
            continue;
        buf_append_slice(&s->in, buf_slice(&s->late));
        buf_clear(&s->late);
        fake_serve(s);
    }
}

/* kill -9: connections end, the data stays. */
static inline void fake_restart(struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        if (r->conns[i]) {
            fake_cut(r->conns[i], FAKE_RESET);
            r->conns[i]->dead = true;
        }
    }
}

/* ---- the transport ---- */

static inline int fake_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    struct fake_redis *r = ctx;
    (void)host, (void)port;

    if (r->open_error)
        return r->open_error;
    assert(r->conns_count < FAKE_CONNS_MAX);
    struct stream *s = calloc(1, sizeof(*s));
    s->redis = r;
    s->open = true;
    s->in_cut = r->next_in_cut;
    s->out_cut = r->next_out_cut;
    s->ending = r->next_ending;
    r->next_in_cut = FAKE_NO_CUT;
    r->next_out_cut = FAKE_NO_CUT;
    r->conns[r->conns_count++] = s;
    *out = s;
    return 0;
}

static inline int fake_status(struct stream *s)
{
    (void)s;
    return 0;
}

static inline ssize_t fake_try_send(struct stream *s, const void *data, size_t bytes)
{
    size_t arrives = s->cut ? 0 : bytes;

    s->redis->writes++;
    if (s->cut && s->ending == FAKE_RESET && s->late.bytes == 0)
        return -EPIPE;
    if (!s->cut && s->in_cut != FAKE_NO_CUT && s->in_total + bytes >= s->in_cut) {
        arrives = (size_t)(s->in_cut - s->in_total);
        fake_cut(s, s->ending);
    }
    buf_append(&s->in, data, arrives);
    buf_append(&s->late, (const char *)data + arrives, bytes - arrives);
    s->in_total += arrives;
    fake_serve(s);
    return (ssize_t)bytes;
}

static inline ssize_t fake_end(const struct stream *s)
{
    if (!s->cut || s->ending == FAKE_SILENCE)
        return -EAGAIN;
    return s->ending == FAKE_RESET ? -ECONNRESET : 0;
}

static inline ssize_t fake_try_recv(struct stream *s, void *out, size_t bytes)
{
    size_t n = s->out.bytes < bytes ? s->out.bytes : bytes;

    if (s->out_cut != FAKE_NO_CUT && s->out_total + n >= s->out_cut) {
        n = (size_t)(s->out_cut - s->out_total);
        fake_cut(s, s->ending);
        s->out.bytes = n;
        s->out_cut = FAKE_NO_CUT;
        s->replies_lost = true;
    }
    if (n == 0)
        return fake_end(s);
    memcpy(out, s->out.data, n);
    buf_consume(&s->out, n);
    s->out_total += n;
    return (ssize_t)n;
}

static inline int fake_pollable(const struct stream *s, int sending, short *events)
{
    (void)s, (void)sending;
    *events = 0;
    return -1;
}

static inline void fake_close(struct stream *s) { s->open = false; } /* the server may still get late bytes */

static const struct transport_ops fake_ops = {
    .open = fake_open,
    .status = fake_status,
    .try_send = fake_try_send,
    .try_recv = fake_try_recv,
    .pollable = fake_pollable,
    .close = fake_close,
};

/* Is there something for the client to read on any connection? */
static inline bool fake_has_news(const struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        const struct stream *s = r->conns[i];
        if (s && s->open && (s->out.bytes || (s->cut && s->ending != FAKE_SILENCE)))
            return true;
    }
    return false;
}

static inline void stream_free(struct stream *s)
{
    fake_end_multi(s);
    buf_fini(&s->in);
    buf_fini(&s->out);
    buf_fini(&s->late);
    free(s);
}

static inline void fake_fini(struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        if (r->conns[i])
            stream_free(r->conns[i]);
    }
    free(r->keys);
}

static inline void fake_rule(struct fake_redis *r, struct fake_rule rule)
{
    assert(r->rules_count < FAKE_RULES_MAX);
    r->rules[r->rules_count++] = rule;
}
