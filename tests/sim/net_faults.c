/* What can befall a network and the server behind it. */
#include "sim/net.h"

#define HEALED_LATENCY_US 20000

static void stream_cut(struct stream *s, struct net_pipe *p, uint64_t bytes, enum net_ending ending, bool zombie)
{
    s->cut_ending = ending;
    s->cut_zombie = zombie;
    p->cut_at = p->done + bytes;
    if (bytes == 0)
        stream_break(s);
}

void net_cut_up(struct stream *s, uint64_t bytes, enum net_ending ending, bool zombie)
{
    stream_cut(s, &s->up, bytes, ending, zombie);
}

void net_cut_down(struct stream *s, uint64_t bytes, enum net_ending ending, bool zombie)
{
    stream_cut(s, &s->down, bytes, ending, zombie);
}

void net_kill(struct net *n, const struct net_node *node)
{
    for (struct stream *s = n->streams; s < n->end; s++) {
        if (!s->used || !s->server_open || s->node != node)
            continue;
        if (chance_one_in(n->chance, 2)) { /* else what was answered before still gets through */
            buf_append_slice(&s->inbox, buf_slice(&s->down.bytes));
            s->down.done += s->down.bytes.bytes;
        }
        pipe_stop(&s->down);
        if (s->ending == NET_OPEN)
            s->ending = chance_one_in(n->chance, 2) ? NET_RESET : NET_FIN;
        s->up.cut_at = s->down.cut_at = NET_NEVER;
        if (s->client_open)
            n->user.heard(n->user.ctx, s->owner);
        stream_orphan(s);
    }
}

void net_heal(struct net *n)
{
    for (struct stream *s = n->streams; s < n->end; s++)
        s->up.cut_at = s->down.cut_at = NET_NEVER;
    for (uint32_t i = 0; i < NET_NODES_MAX; i++) {
        n->nodes[i].down = false;
        n->nodes[i].stalled_until_us = 0;
    }
    n->refusing = 0;
    n->lost = false;
    n->slow_one_in = 0;
    n->piece_max = 0;
    n->window = NET_WINDOW;
    n->latency_us = n->latency_us < HEALED_LATENCY_US ? n->latency_us : HEALED_LATENCY_US;
}
