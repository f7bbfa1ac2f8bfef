#pragma once
/* A worker's connections. Bytes from the engine become requests, and the handler's answers become sends.
 *
 *            accepted            head and body whole
 *   FREE ───────────────▶ HEAD ◀───────────────────────▶ (handler)
 *    ▲                     │  ▲ answered                     │ WAITING
 *    │ closed              │  └───────────── WAITING ◀───────┤
 *    │                     │                 STREAM  ◀───────┘ STREAMING
 *    │                     │ head whole, body not
 *    │                     ▼
 *    │                    BODY ──── body whole ───▶ (handler)
 *    │      last answer queued (close, bad request, time-out, FIN)
 *   CLOSING ◀── LINGER ◀── LAST ◀── HEAD, BODY, WAITING, STREAM
 *
 * Thread: the worker's. Only `stats` is read by others.
 *
 * A request that lies whole in one receive buffer is parsed, handled and answered in place, without a copy. Otherwise
 * its tail is kept in `carry` until more comes. A request whose body is incomplete or whose answer must wait keeps its
 * head and body in a `partial`. Answers gather in `out`, and one send for each connection and batch takes them all.
 * Above OUT_HIGH, sent or not, nothing more is answered or read until the peer has taken it. So who pipelines and does
 * not read costs OUT_HIGH, one answer, and ENGINE_RECV_MAX of requests. A budget bounds what all of them cost together
 * (net/hold.h). */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/siphash.h"
#include "http/parser.h"
#include "http/response.h"
#include "io/engine.h"
#include "net/budget.h"
#include "net/handler.h"
#include "net/wheel.h"
#include "net/worker.h"

#define OUT_BLOCK_BYTES (32 * 1024) /* some three hundred counted hits */
#define OUT_BLOCKS_KEPT 128         /* free ones, at most */
#define OUT_HIGH (28 * 1024)        /* leaves room in a block for an ordinary answer */
#define CARRY_BYTES_MAX                                                                                                \
    (4 * 1024 * 1024) /* larger than all receive buffers together, so a paused connection cannot reach it */

enum conn_state {
    CONN_FREE,
    CONN_HEAD,
    CONN_BODY,
    CONN_WAITING, /* the handler answers later */
    CONN_STREAM,  /* the handler goes on answering */
    CONN_LAST,    /* nothing more is read, and what is in `out` and `sending` is the last that goes out */
    CONN_LINGER,  /* half-closed, and reads on for a while */
    CONN_CLOSING, /* the engine closes it */
    CONN_STATES,
};

/* A request whose head is whole, on its way to an answer. */
struct partial {
    struct http_request request;
    struct http_body body;
    struct slice at; /* the head's bytes, where they came in */
    struct buf head; /* the same, once they had to be kept */
    struct buf data; /* the decoded body, once it had to be kept */
    bool wanted;     /* the handler wants the body */
    void *waiting;   /* the handler's, while WAITING */
    void *stream;    /* the handler's, while STREAM */
    uint64_t deadline_ms;
    uint64_t whole_us; /* when it had come whole, if it waited */
};

struct conn {
    uint8_t state;  /* enum conn_state. Only conn_move() changes it */
    bool dirty;     /* It is in conns.dirty, because it has something to send after this batch */
    bool proxy_due; /* the first bytes are a PROXY protocol header */
    bool peer_fin;  /* nothing more will come */
    bool paused;    /* not reading */
    bool client_counted;
    bool client_due; /* of the share of its client, once its address is known */
    bool linger;     /* The peer may still be sending, so it is half-closed before it is closed */
    uint32_t generation;
    uint32_t held; /* bytes that it was weighed with last */
    struct http_parser parser;
    struct buf carry;
    struct buf out;          /* gathering */
    struct buf sending;      /* in the engine's hands until sent() */
    struct partial *partial; /* owned, or NULL */
    uint64_t active_ms;      /* last byte in or out */
    uint64_t phase_ms;       /* since when it is in this head, body or linger. 0 before the first byte of a head */
    uint64_t sending_ms;
};

/* A list of slots, the longest idle first. Entry `max` is its head. A slot that is in none points to itself. */
struct hold_link {
    uint32_t next, previous;
};

#define ROOM_FOUND_MAX 64

/* Room for new connections (net/room.h). */
struct room {
    uint32_t spare;                 /* slots to be kept free */
    uint32_t closing;               /* for room's sake, not closed yet */
    uint32_t found[ROOM_FOUND_MAX]; /* slots, the longest idle last */
    uint32_t found_count;
    uint64_t searched_ms;
    struct siphash_key key;
    uint32_t *clients; /* connections by hash of the client, owned. NULL when nobody counts */
    struct ip *peers;  /* by slot. It is conns.peers, or owned */
    uint32_t asked;    /* slots whose peers were asked for since shares hold */
};

struct conns {
    /* what a worker gives them */
    struct engine *engine;
    struct handler handler;
    struct http_limits limits;
    struct worker_timeouts timeouts;
    uint32_t max;
    bool wants_peers;
    uint32_t client_max;  /* connections of one client. 0 is no limit */
    uint32_t client_from; /* … held to it while so many are open in all */
    struct purse purse;   /* what they may keep. Its budget is borrowed */
    /* owned */
    struct conn *conns; /* max of them, by slot */
    struct ip *peers;   /* max of them, by slot. NULL unless they are wanted */
    uint32_t *dirty;    /* 2 × max, because each may come twice in one batch */
    uint32_t dirty_count;
    struct wheel wheel;
    char *blocks[OUT_BLOCKS_KEPT]; /* free output blocks */
    uint32_t blocks_count;
    uint32_t out_high;         /* OUT_HIGH, or less while memory is short */
    struct hold_link *holders; /* max + 1 of them. Who holds something */
    struct room room;
    struct worker_timeouts patience; /* `timeouts`, shorter while room is scarce */
    struct partial scratch;          /* the request being read, while it is whole in one buffer */
    char date[HTTP_DATE_BYTES + 1];
    int64_t date_s;
    uint64_t requests_timed; /* those of stats.requests that are in stats.request_time, or WAITING */
    bool draining, accept_ended;
    struct worker_stats stats;
};

/* `cs` is zeroed but for what a worker gives. Returns 0 or -ENOMEM. */
int conns_init(struct conns *cs, uint64_t now_ms);
void conns_fini(struct conns *cs);
extern const struct engine_events conns_events; /* their ctx is a struct conns */

/* Takes no new connections. Those that are idle end now, the others after their next answer. */
void conns_drain(struct conns *cs);
void conns_resume(struct conns *cs, struct ticket ticket);

/* ---- between the files of conns ---- */

/* Moves the connection to a state that may follow the one it is in, and that fits what it has (net/conn_state.c). */
void conn_move(struct conn *c, enum conn_state to);

/* Reads requests out of what is carried, then settles what follows from it. */
void conn_pump(struct conns *cs, struct conn *c);
/* Takes new bytes, and reads them in place when nothing is carried. */
void conn_input(struct conns *cs, struct conn *c, const char *data, size_t bytes);
/* Has the handler answer the request in `p`, which has come whole. */
void conn_handle(struct conns *cs, struct conn *c, struct partial *p);
/* Has the handler go on with the request that is WAITING. `expired` says that nobody resumed it in time. */
void conn_resume(struct conns *cs, struct conn *c, bool expired);
/* Answers with an error and ends the connection. `r` is as much of the request as could be read, since an answer to
 * HEAD has no body. With NULL it is what the connection keeps of it. */
void conn_refuse(struct conns *cs, struct conn *c, int status, const char *reason, const struct http_request *r);
/* Counts the time of a request that is answered, if it waited. Others are counted with their batch. */
void conn_time_wait(struct conns *cs, const struct partial *p);
void conn_partial_drop(struct conns *cs, struct conn *c);

/* The request is answered by a stream, which the handler goes on writing (net/conn_stream.c). */
void conn_stream_begin(struct conns *cs, struct conn *c, void *stream);
/* See worker_stream() and worker_stream_end(). */
struct buf *conns_stream(struct conns *cs, struct ticket ticket);
void conns_stream_end(struct conns *cs, struct ticket ticket);

/* Returns `out` with room for an ordinary answer, and sees to it that it will be sent. */
struct buf *conn_out(struct conns *cs, struct conn *c);

/* Ends what is at its end, and sets the timer. */
void conn_settle(struct conns *cs, struct conn *c);
void conn_close(struct conns *cs, struct conn *c);

static inline uint32_t conn_slot(const struct conns *cs, const struct conn *c) { return (uint32_t)(c - cs->conns); }
static inline bool conn_blocked(const struct conns *cs, const struct conn *c)
{
    return c->out.bytes + c->sending.bytes >= cs->out_high;
}
static inline bool conn_reads(const struct conn *c) { return c->state == CONN_HEAD || c->state == CONN_BODY; }
/* Tells whether what comes is kept for a request, now or after the one that waits. */
static inline bool conn_takes(const struct conn *c) { return conn_reads(c) || c->state == CONN_WAITING; }
/* Tells whether it is on its way out of the engine, or was never in it. */
static inline bool conn_is_gone(const struct conn *c) { return c->state == CONN_FREE || c->state == CONN_CLOSING; }
/* Tells whether it is we who let it wait, so that it is not idle whenever it last moved. */
static inline bool conn_waits(const struct conn *c) { return c->state == CONN_WAITING || c->state == CONN_STREAM; }
