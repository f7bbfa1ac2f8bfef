#pragma once
/* A connection to one node that keeps coming back, and the replies that are due on it.
 *
 * Thread: the flusher's. Nothing waits; link_tick() does what can be done now.
 * Happy path: DOWN, CONNECTING, GREETING (the commands of greeting.h in one write), READY; then link_send() queues
 * bytes together with who wants their replies, and the replies are handed over in order. Failure modes: a connect,
 * greeting or reply deadline, a read or write error, the end of the stream, bytes that are no RESP, a reply that nobody
 * waits for, or link_fail() from a user: each ends the connection, never only a command. `down` is told once, no
 * waiting reply is ever delivered after it, and the next attempt follows after a back-off: min doubled up to max, half
 * of it jitter. The texts of errors never hold what was sent, so no secret can be in them (words.h). */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "redis/credentials.h"
#include "redis/error.h"
#include "redis/expects.h"
#include "redis/resp.h"
#include "redis/transport.h"

struct link_config {
    struct transport transport;
    uint64_t (*random)(void *ctx); /* for the jitter */
    void *random_ctx;
    const char *host; /* all strings: the caller's, outlive the link */
    uint16_t port;
    const char *other_host; /* tried in turn with `host`; may change its text meanwhile. NULL or empty: none */
    const char *user;       /* empty: the default user */
    struct credentials credentials;
    uint32_t db;
    bool any_role; /* a replica will do */
    const char *client_name;
    uint32_t connect_timeout_ms;
    uint32_t reply_timeout_ms;     /* greeting and every reply: since a byte moved (expects.h) */
    uint32_t reply_timeout_max_ms; /* since it was asked for */
    uint32_t backoff_min_ms;
    uint32_t backoff_max_ms;
    struct resp_limits limits;
};

struct link_user {
    void *ctx;
    void (*ready)(void *ctx);
    void (*down)(void *ctx);                                      /* why: link_reason() */
    void (*refused)(void *ctx, const struct redis_refusal *what); /* the greeting got an error reply */
    void (*evicts)(void *ctx, struct slice policy);               /* maxmemory-policy is not noeviction */
};

struct link_traffic {
    uint64_t bytes_out, bytes_in, commands, connects;
};

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_GREETING, LINK_READY };

struct link;

int link_create(struct link **out, const struct link_config *config, const struct link_user *user); /* 0 or -ENOMEM */
void link_destroy(struct link *l); /* silently: no `down` */
void link_tick(struct link *l, uint64_t now_ms);

/* Only when READY. First say who gets the next `count` replies, in order, then send what causes them. */
void link_expect(struct link *l, uint32_t count, link_reply_fn fn, void *ctx);
void link_send(struct link *l, struct slice bytes);
/* Hand to the transport what it takes now; link_tick() does so too. */
void link_flush(struct link *l);

/* Where the next connection goes; the connection that is up stays. */
void link_set_address(struct link *l, const char *host, const char *other_host, uint16_t port);
/* By which of the two the last attempt was made. */
const char *link_host(const struct link *l);
uint16_t link_port(const struct link *l);
/* Did the last attempt fail by the first, so that the next is by the second? */
bool link_turns_to_other(const struct link *l);
/* The connection has done what it is for: should it end, the next attempt comes soon. (Staying up as long as the
 * longest back-off proves as much.) */
void link_proved(struct link *l);
/* End the connection at the next opportunity; the first reason stands. */
void link_fail(struct link *l, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum link_state link_state(const struct link *l);
/* Was the last end that of a connection that had been up for a second, and on which nothing was due? Servers close such
 * links by their `timeout`; the next attempt comes soon. */
bool link_ended_idle(const struct link *l);
const char *link_reason(const struct link *l); /* of the last end */
int link_reason_code(const struct link *l); /* its -errno; -EKEYREJECTED: the server refuses, which is told already */
/* May these words of the server be repeated: is nothing of the password in them that this connection has sent? */
bool link_may_repeat(const struct link *l, const char *words);
uint64_t link_lineage(const struct link *l); /* of the server that was greeted last: greeting.h */
const struct link_traffic *link_traffic(const struct link *l);
/* What to poll (fd -1: nothing), and when to tick at the latest (UINT64_MAX: never). */
void link_poll(const struct link *l, struct pollfd *out);
uint64_t link_wake_ms(const struct link *l);
