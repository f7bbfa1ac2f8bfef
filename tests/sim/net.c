#include "sim/net.h"

#include <assert.h>
#include <errno.h>

/* ---- time ---- */

static uint64_t net_delay(struct net *n)
{
    uint64_t delay = n->latency_us / 2 + chance_below(n->chance, n->latency_us + 1);

    return n->slow_one_in && chance_one_in(n->chance, n->slow_one_in) ? delay * (2 + chance_below(n->chance, 99))
                                                                      : delay;
}

static void pipe_send(struct net *n, struct net_pipe *p)
{
    if (p->due_us == NET_NEVER && p->bytes.bytes)
        p->due_us = *n->now_us + net_delay(n);
}

void pipe_stop(struct net_pipe *p)
{
    buf_clear(&p->bytes);
    p->due_us = NET_NEVER;
}

/* ---- streams ---- */

static void stream_settle_refusals(struct stream *s, bool over)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->refusals_count; i++) {
        const struct net_refusal *r = &s->refusals[i];
        bool told = s->read >= r->answer_end;
        if (told || over)
            s->net->user.told(s->net->user.ctx, s->owner, r, told);
        else
            s->refusals[kept++] = *r;
    }
    s->refusals_count = kept;
}

static void stream_try_free(struct stream *s)
{
    if (s->client_open || s->up.bytes.bytes)
        return;
    s->used = false;
    pipe_stop(&s->down);
}

void stream_orphan(struct stream *s)
{
    s->server_open = false;
    pipe_stop(&s->up);
    stream_try_free(s);
}

/* What the client has sent gets there much later, some of it, or not at all. */
static void stream_doom(struct stream *s, bool zombie)
{
    struct net *n = s->net;

    pipe_stop(&s->down);
    if (!zombie) {
        stream_orphan(s);
        return;
    }
    if (s->up.bytes.bytes)
        s->up.due_us = *n->now_us + chance_below(n->chance, n->zombie_us + 1);
}

void stream_break(struct stream *s)
{
    static const char *const names[] = {"open", "reset", "end", "silence"};

    NET_NOTE(s->net, "conn %u breaks: %s%s", s->number, names[s->cut_ending], s->cut_zombie ? ", zombie" : "");
    s->ending = s->cut_ending;
    s->up.cut_at = s->down.cut_at = NET_NEVER;
    stream_doom(s, s->cut_zombie);
    s->net->user.heard(s->net->user.ctx, s->owner);
}

static size_t pipe_piece(struct net *n, const struct net_pipe *p)
{
    size_t piece = p->bytes.bytes;

    if (n->piece_max && piece > 1)
        piece = 1 + chance_below(n->chance, piece < n->piece_max ? piece : n->piece_max);
    if (p->cut_at != NET_NEVER && p->done + piece > p->cut_at)
        piece = p->cut_at > p->done ? (size_t)(p->cut_at - p->done) : 0;
    return piece;
}

static void pipe_took(struct net *n, struct net_pipe *p, size_t piece)
{
    buf_consume(&p->bytes, piece);
    p->done += piece;
    p->due_us = NET_NEVER;
    pipe_send(n, p);
}

static void stream_serve(struct stream *s)
{
    struct net *n = s->net;
    size_t piece = pipe_piece(n, &s->up), before = s->down.bytes.bytes;

    n->serving = s;
    bool fine = model_feed(s->node->model, &s->client, (struct slice){s->up.bytes.data, piece}, &s->down.bytes);
    n->serving = NULL;
    assert(fine); /* the client says nothing but commands */
    NET_NOTE(n, "conn %u: %zu bytes executed, answers \"%.*s\"%s", s->number, piece,
             (int)(s->down.bytes.bytes - before < 160 ? s->down.bytes.bytes - before : 160),
             s->down.bytes.data + before, s->client_open && s->ending == NET_OPEN ? "" : " into nothing");
    if (!s->client_open || s->ending != NET_OPEN)
        pipe_stop(&s->down);
    if (!s->client_open)
        stream_settle_refusals(s, true);
    pipe_send(n, &s->down);
    pipe_took(n, &s->up, piece);
    if (s->up.done >= s->up.cut_at)
        stream_break(s);
    n->user.heard(n->user.ctx, s->owner); /* there is room to send */
    stream_try_free(s);
}

static void stream_hear(struct stream *s)
{
    size_t piece = pipe_piece(s->net, &s->down);

    buf_append(&s->inbox, s->down.bytes.data, piece);
    pipe_took(s->net, &s->down, piece);
    if (s->down.done >= s->down.cut_at)
        stream_break(s);
    s->net->user.heard(s->net->user.ctx, s->owner);
}

/* ---- what happens next ---- */

static uint64_t stream_up_us(const struct stream *s)
{
    uint64_t due = s->up.due_us, stalled = s->node->stalled_until_us;

    return due < stalled ? stalled : due;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t stream_next_us(const struct stream *s)
{
    uint64_t next = earlier(stream_up_us(s), s->down.due_us);

    return earlier(next, s->connected_us);
}

static struct stream *net_next(const struct net *n)
{
    const struct stream *next = NULL;

    for (const struct stream *s = n->streams; s < n->end; s++) {
        if (s->used && (!next || stream_next_us(s) < stream_next_us(next)))
            next = s;
    }
    return (struct stream *)(uintptr_t)next;
}

uint64_t net_next_us(const struct net *n)
{
    const struct stream *s = net_next(n);

    return s ? stream_next_us(s) : NET_NEVER;
}

void net_step(struct net *n)
{
    struct stream *s = net_next(n);
    uint64_t due = stream_next_us(s);

    if (s->connected_us == due) {
        s->connected_us = NET_NEVER;
        n->user.heard(n->user.ctx, s->owner);
    } else if (s->down.due_us == due) {
        stream_hear(s);
    } else {
        stream_serve(s);
    }
}

/* ---- the transport ---- */

/* Only the memory of its buffers is kept. */
static void stream_renew(struct stream *s, struct net_node *node, uint32_t owner)
{
    struct net *n = s->net;
    struct stream fresh = {
        .net = n, .node = node, .number = n->opened++, .owner = owner, .used = true, .client_open = true};

    fresh.up.bytes = s->up.bytes;
    fresh.down.bytes = s->down.bytes;
    fresh.inbox = s->inbox;
    fresh.client.in = s->client.in;
    fresh.client.queue = s->client.queue;
    fresh.client.tag = owner;
    *s = fresh;
    buf_clear(&s->inbox);
    buf_clear(&s->client.in);
    buf_clear(&s->client.queue);
    pipe_stop(&s->up);
    pipe_stop(&s->down);
    s->up.cut_at = s->down.cut_at = NET_NEVER;
}

static int net_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    const struct net_door *door = ctx;
    struct net *n = door->net;
    struct stream *s = n->streams;
    (void)port;

    while (s < n->end && s->used)
        s++;
    if (s == n->streams + NET_STREAMS_MAX)
        return -EMFILE;
    if (n->refusing && chance_one_in(n->chance, 2))
        return -n->refusing;
    struct net_node *node = &n->nodes[n->user.resolve(n->user.ctx, host)];
    int refusing = node->down ? ECONNREFUSED : n->refusing;
    s->net = n;
    stream_renew(s, node, door->owner);
    n->end = n->end == s ? s + 1 : n->end;
    s->refused = -refusing;
    s->server_open = !refusing && !n->lost;
    s->connected_us = n->lost ? NET_NEVER : *n->now_us + net_delay(n);
    NET_NOTE(n, "conn %u opened by %u to node %u%s", s->number, s->owner, (unsigned)(node - n->nodes),
             n->lost    ? ", lost"
             : refusing ? ", refused"
                        : "");
    *out = s;
    return 0;
}

static int net_status(struct stream *s)
{
    if (s->connected_us != NET_NEVER || (!s->server_open && !s->refused && s->ending == NET_OPEN))
        return -EINPROGRESS;
    return s->refused;
}

static ssize_t net_try_send(struct stream *s, const void *data, size_t bytes)
{
    struct net *n = s->net;
    size_t room = n->window > s->up.bytes.bytes ? n->window - s->up.bytes.bytes : 0;

    if (s->ending == NET_RESET)
        return -EPIPE;
    if (room == 0)
        return -EAGAIN;
    bytes = bytes < room ? bytes : room;
    if (!s->server_open || s->owner == n->muted)
        return (ssize_t)bytes; /* into nothing */
    buf_append(&s->up.bytes, data, bytes);
    pipe_send(n, &s->up);
    return (ssize_t)bytes;
}

static ssize_t net_try_recv(struct stream *s, void *out, size_t bytes)
{
    size_t n = s->inbox.bytes < bytes ? s->inbox.bytes : bytes;

    if (n) {
        memcpy(out, s->inbox.data, n);
        buf_consume(&s->inbox, n);
        s->read += n;
        stream_settle_refusals(s, false);
        return (ssize_t)n;
    }
    switch (s->ending) {
    case NET_RESET: return -ECONNRESET;
    case NET_FIN: return 0;
    case NET_OPEN:
    case NET_SILENCE: break;
    }
    return -EAGAIN;
}

static int net_pollable(const struct stream *s, int sending, short *events)
{
    (void)s, (void)sending;
    *events = 0;
    return -1;
}

static void net_close(struct stream *s)
{
    struct net *n = s->net;

    NET_NOTE(n, "conn %u closed by %u, %zu bytes under way", s->number, s->owner, s->up.bytes.bytes);
    s->client_open = false;
    s->connected_us = NET_NEVER;
    s->up.cut_at = s->down.cut_at = NET_NEVER;
    stream_settle_refusals(s, true);
    if (s->ending == NET_OPEN && s->up.bytes.bytes) {
        /* Of what is under way any part gets there, soon or late. */
        if (chance_one_in(n->chance, 3))
            s->up.bytes.bytes = chance_below(n->chance, s->up.bytes.bytes + 1);
        stream_doom(s, chance_below(n->chance, 4) != 0);
    }
    stream_try_free(s);
}

static const struct transport_ops net_ops = {
    .open = net_open,
    .status = net_status,
    .try_send = net_try_send,
    .try_recv = net_try_recv,
    .pollable = net_pollable,
    .close = net_close,
};

struct transport net_transport(struct net_door *door) { return (struct transport){&net_ops, door}; }

/* ---- questions ---- */

static bool stream_works(const struct stream *s, uint32_t owner)
{
    return s->used && s->client_open && s->owner == owner && s->server_open && s->ending == NET_OPEN &&
           s->connected_us == NET_NEVER;
}

struct stream *net_any(struct net *n, uint32_t owner)
{
    struct stream *any = NULL;
    uint32_t seen = 0;

    for (struct stream *s = n->streams; s < n->end; s++) {
        if (stream_works(s, owner) && chance_one_in(n->chance, ++seen))
            any = s;
    }
    return any;
}

bool net_is_silent(const struct net *n, uint32_t owner)
{
    bool silent = false;

    for (const struct stream *s = n->streams; s < n->end; s++)
        silent |= s->used && s->client_open && s->owner == owner && s->ending == NET_SILENCE;
    return silent;
}

bool net_has_written(const struct net *n, uint32_t owner)
{
    for (const struct stream *s = n->streams; s < n->end; s++) {
        if (s->used && s->client_open && s->owner == owner && s->wrote)
            return true;
    }
    return false;
}

uint32_t net_open_streams(const struct net *n, uint32_t owner, const struct net_node *node)
{
    uint32_t count = 0;

    for (const struct stream *s = n->streams; s < n->end; s++)
        count += s->used && s->client_open && s->owner == owner && s->node == node;
    return count;
}

void net_reset(struct net *n)
{
    for (struct stream *s = n->streams; s < n->streams + NET_STREAMS_MAX; s++)
        s->used = false;
    n->end = n->streams;
    n->opened = 0;
    n->muted = NET_NOBODY;
    n->serving = NULL;
    net_heal(n);
}

void net_fini(struct net *n)
{
    for (struct stream *s = n->streams; s < n->streams + NET_STREAMS_MAX; s++) {
        buf_fini(&s->up.bytes);
        buf_fini(&s->down.bytes);
        buf_fini(&s->inbox);
        model_client_fini(&s->client);
    }
}
