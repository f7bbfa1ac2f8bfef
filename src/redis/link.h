#pragma once
/* A connection to one node that keeps coming back, and the replies that are due on it.
 *
 * Thread: the flusher's. Nothing waits: link_tick() does what can be done now.
 * Happy path: DOWN, CONNECTING, GREETING (the commands of redis/greeting.h in one write), READY. Then link_expect()
 * says who wants the replies and link_send() queues the bytes that cause them. The replies are handed over in order.
 *
 * Failure modes: each of these ends the connection, never only a command.
 *   - The deadline of a connect, a greeting or a reply passes.
 *   - Reading or writing fails, or the stream ends.
 *   - There are bytes that are no RESP, or a reply that nobody waits for.
 *   - A user calls link_fail().
 * `down` is called once, and no reply is delivered after it. The next attempt follows after a back-off, which doubles
 * from its minimum to its maximum. Half of it is chance. The texts of errors never hold what was sent, so no secret can
 * be in them (protocol/words.h). */

#include <errno.h>
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
    const char *host; /* this and all strings are the caller's and outlive the link */
    uint16_t port;
    const char *other_host; /* tried in turn with `host`, or NULL or empty. Its text may change meanwhile */
    const char *user;       /* empty for the default user */
    struct credentials credentials;
    uint32_t db;
    bool any_role; /* a replica will do */
    const char *client_name;
    uint32_t connect_timeout_ms;
    uint32_t reply_timeout_ms;     /* of the greeting and every reply, since a byte moved (redis/expects.h) */
    uint32_t reply_timeout_max_ms; /* since it was asked for */
    uint32_t backoff_min_ms;
    uint32_t backoff_max_ms;
    struct resp_limits limits;
};

struct link_user {
    void *ctx;
    void (*ready)(void *ctx);
    void (*down)(void *ctx);                                      /* link_reason() says why */
    void (*refused)(void *ctx, const struct redis_refusal *what); /* the greeting got an error reply */
    void (*evicts)(void *ctx, struct slice policy);               /* maxmemory-policy is not noeviction */
};

struct link_traffic {
    uint64_t bytes_out, bytes_in, commands, connects;
};

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_GREETING, LINK_READY };

struct link;

int link_create(struct link **out, const struct link_config *config, const struct link_user *user); /* 0 or -ENOMEM */
void link_destroy(struct link *l); /* does not call `down` */
void link_tick(struct link *l, uint64_t now_ms);

/* Only when READY. First say who gets the next `count` replies, in order, then send what causes them. */
void link_expect(struct link *l, uint32_t count, link_reply_fn fn, void *ctx);
void link_send(struct link *l, struct slice bytes);
/* Hands the transport what it takes now, as link_tick() does too. */
void link_flush(struct link *l);

/* Sets where the next connection goes. The one that is up stays. */
void link_set_address(struct link *l, const char *host, const char *other_host, uint16_t port);
/* Which of the two the last attempt was made by. */
const char *link_host(const struct link *l);
uint16_t link_port(const struct link *l);
/* Did the last attempt fail by the first, so that the next is by the second? */
bool link_turns_to_other(const struct link *l);
/* The connection has done what it is for, so if it ends the next attempt comes soon. (Staying up as long as the longest
 * back-off proves as much.) */
void link_proved(struct link *l);
/* Ends the connection at the next opportunity. The first reason stands. */
void link_fail(struct link *l, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sends commands that were composed in a buffer. Ends the connection when there was no memory for all of them. */
static inline void link_send_commands(struct link *l, const struct buf *commands)
{
    if (commands->failed)
        link_fail(l, -ENOMEM, "no memory for commands");
    else
        link_send(l, buf_slice(commands));
}

enum link_state link_state(const struct link *l);
/* Did the last connection end when it had been up for a second and nothing was due on it? Servers close such links by
 * their `timeout`, and the next attempt comes soon. */
bool link_ended_idle(const struct link *l);
const char *link_reason(const struct link *l); /* of the last end */
int link_reason_code(const struct link *l);    /* its -errno. -EKEYREJECTED is a refusal, which is told already */
/* May these words of the server be repeated? They may if nothing of the password that was sent here is in them. */
bool link_may_repeat(const struct link *l, const char *words);
uint64_t link_lineage(const struct link *l); /* of the server that was greeted last: greeting.h */
const struct link_traffic *link_traffic(const struct link *l);
/* What to poll, with fd -1 for nothing, and when to tick at the latest, with UINT64_MAX for never. */
void link_poll(const struct link *l, struct pollfd *out);
uint64_t link_wake_ms(const struct link *l);
