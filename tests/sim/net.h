#pragma once
/* The network between processes and the simulated servers, and the servers' end of every connection.
 *
 * Thread: one.
 * A connection is a stream of bytes each way that arrive in order, in pieces, late. It may break after any byte, with a
 * reset, an end or in silence; what was under way is then lost or, as a zombie, still executed long after the client
 * has gone on over another connection. Only connections overtake each other. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "redis/transport.h"
#include "support/chance.h"
#include "support/model.h"

#define NET_STREAMS_MAX 96
#define NET_NODES_MAX 6
#define NET_REFUSALS_MAX 32
#define NET_NEVER UINT64_MAX
#define NET_WINDOW 65536
#define NET_NOBODY UINT32_MAX

enum net_ending { NET_OPEN, NET_RESET, NET_FIN, NET_SILENCE };

/* Bytes under way, and when the first of them arrive. */
struct net_pipe {
    struct buf bytes;
    uint64_t due_us; /* NET_NEVER: nothing is under way */
    uint64_t done;   /* bytes that arrived */
    uint64_t cut_at; /* the connection breaks after so many; NET_NEVER: it does not */
};

/* An INCRBY was refused inside a transaction; the client knows when it has read `answer_end` bytes. */
struct net_refusal {
    uint32_t key;
    uint64_t delta;
    uint64_t answer_end;
};

/* A server. */
struct net_node {
    struct model *model;
    bool down; /* connects are refused */
    uint64_t stalled_until_us;
};

struct stream {
    struct net *net;
    struct net_node *node;
    uint32_t number; /* for the trace */
    uint32_t owner;
    bool used;        /* this place is taken */
    bool client_open; /* not closed by the client */
    bool server_open; /* what arrives is executed */
    int refused;      /* the connect fails so; 0: it does not */
    uint64_t connected_us;
    enum net_ending ending; /* what the client finds behind the last byte that arrived */
    enum net_ending cut_ending;
    bool cut_zombie;
    struct model_client client;
    struct net_pipe up, down;
    struct buf inbox; /* arrived and not read */
    uint64_t read;
    bool wrote; /* a transaction was executed on it */
    struct net_refusal refusals[NET_REFUSALS_MAX];
    uint32_t refusals_count;
};

struct net_user {
    void *ctx;
    uint32_t (*resolve)(void *ctx, const char *host);                                       /* the number of a node */
    void (*heard)(void *ctx, uint32_t owner);                                               /* there is news for it */
    void (*told)(void *ctx, uint32_t owner, const struct net_refusal *r, bool told);        /* or never will be */
    void (*note)(void *ctx, const char *format, ...) __attribute__((format(printf, 2, 3))); /* NULL: no trace */
};

struct net {
    struct net_user user;
    struct net_node nodes[NET_NODES_MAX];
    struct chance *chance;
    const uint64_t *now_us;
    struct stream streams[NET_STREAMS_MAX];
    struct stream *end;     /* of those that were ever used by this seed */
    struct stream *serving; /* whose bytes the model executes now */
    uint32_t opened;
    /* what kind of network it is */
    uint64_t latency_us;
    uint32_t slow_one_in; /* pieces that take up to a hundred times as long */
    uint64_t zombie_us;   /* at most */
    size_t piece_max;     /* bytes that arrive at a time; 0: all */
    size_t window;        /* bytes that the client may have under way */
    /* and how it fares now */
    uint32_t muted; /* whose bytes do not leave it any more; NET_NOBODY */
    int refusing;   /* 0 or the errno that connects fail with */
    bool lost;      /* connects are never answered */
};

/* Through which one process goes. */
struct net_door {
    struct net *net;
    uint32_t owner;
};

struct transport net_transport(struct net_door *door);
/* When something happens next; NET_NEVER: nothing does. net_step() makes it happen. */
uint64_t net_next_us(const struct net *n);
void net_step(struct net *n);
/* Break `s` after so many more bytes that way. */
void net_cut_up(struct stream *s, uint64_t bytes, enum net_ending ending, bool zombie);
void net_cut_down(struct stream *s, uint64_t bytes, enum net_ending ending, bool zombie);
/* kill -9 of a server. */
void net_kill(struct net *n, const struct net_node *node);
/* A good network from now on: no cut that has not happened yet will happen. What it holds already comes when it comes.
 */
void net_heal(struct net *n);
struct stream *net_any(struct net *n, uint32_t owner);     /* one that is open; or NULL */
bool net_is_silent(const struct net *n, uint32_t owner);   /* it has a connection that broke so */
bool net_has_written(const struct net *n, uint32_t owner); /* on a connection that it still has */
uint32_t net_open_streams(const struct net *n, uint32_t owner, const struct net_node *node);
void net_reset(struct net *n); /* for another seed */
void net_fini(struct net *n);

/* ---- for net_faults.c ---- */
void pipe_stop(struct net_pipe *p); /* what is under way is lost */
void stream_break(struct stream *s);
void stream_orphan(struct stream *s); /* the server's end is gone: nothing more is executed */

#define NET_NOTE(n, ...)                                                                                               \
    do {                                                                                                               \
        if ((n)->user.note)                                                                                            \
            (n)->user.note((n)->user.ctx, __VA_ARGS__);                                                                \
    } while (0)
