#pragma once
/* A Redis in memory behind a transport, with connections that can be cut at any byte and bytes that arrive late. What
 * the server does with commands is the model's (model.h).
 *
 * Thread: one.
 * What a client sends is executed at once unless the connection is cut. What was cut off can be delivered later
 * (`late`), on the same old connection, as a slow network does. */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "redis/transport.h"
#include "support/model.h"

#define FAKE_CONNS_MAX 4096
#define FAKE_RULES_MAX 8
#define FAKE_NO_CUT UINT64_MAX

enum fake_ending { FAKE_RESET, FAKE_FIN, FAKE_SILENCE };

struct stream {
    struct fake_redis *redis;
    bool open;          /* the client has not closed it */
    bool dead;          /* the server's end is gone */
    struct buf in, out; /* what the server has not executed; what the client has not read */
    struct buf late;    /* sent after the cut */
    uint64_t in_total, out_total;
    uint64_t in_cut, out_cut; /* after that many bytes */
    enum fake_ending ending;
    bool cut;
    bool replies_lost; /* nothing the server answers gets through any more: a stream has no gaps */
    struct model_client client;
};

/* Instead of being looked at, commands of this name, on keys containing `key`, get this answer. INCR is an INCRBY. */
struct fake_rule {
    const char *command, *key, *answer;
};

struct fake_redis {
    struct model model;
    struct stream *conns[FAKE_CONNS_MAX]; /* owned */
    int conns_count;
    int open_error;                     /* of the next connects; 0: fine */
    bool mute;                          /* connects, and then never answers */
    uint64_t next_in_cut, next_out_cut; /* of the next connection; FAKE_NO_CUT: none */
    enum fake_ending next_ending;
    struct fake_rule rules[FAKE_RULES_MAX];
    int rules_count;
    const char *cut_after_command; /* the connection is cut when this was executed; its reply is lost */
    uint64_t executed_incrbys, executed_outside_multi, execs;
    uint64_t gets;   /* GET and GETRANGE that no rule answered */
    uint64_t writes; /* of clients, each as it came */
};

/* What a key holds now, as text. */
struct fake_key {
    bool exists;
    char name[MODEL_NAME_BYTES_MAX + 1];
    char value[MODEL_VALUE_BYTES_MAX + 1];
};

void fake_init(struct fake_redis *r);
void fake_fini(struct fake_redis *r);

/* The transport to it, and its parts, for tests that put others in the place of some. */
extern const struct transport_ops fake_ops;
int fake_open(void *ctx, const char *host, uint16_t port, struct stream **out);
int fake_status(struct stream *s);
ssize_t fake_try_send(struct stream *s, const void *data, size_t bytes);
ssize_t fake_try_recv(struct stream *s, void *out, size_t bytes);
int fake_pollable(const struct stream *s, int sending, short *events);
void fake_close(struct stream *s);

void fake_set(struct fake_redis *r, const char *name, const char *value);
void fake_delete(struct fake_redis *r, const char *name);
/* The key becomes a list, or what it was before. */
void fake_make_list(struct fake_redis *r, const char *name, bool list);
struct fake_key fake_key(struct fake_redis *r, const char *name);
/* Of an integer. Returns 0 when there is no such key. */
int64_t fake_value(struct fake_redis *r, const char *name);
/* The ledger that was written last, of those whose name begins with `prefix`. */
struct fake_key fake_ledger_of(struct fake_redis *r, const char *prefix);
struct fake_key fake_ledger(struct fake_redis *r);
/* Tells whether no key was ever asked for. */
bool fake_is_untouched(const struct fake_redis *r);

void fake_rule(struct fake_redis *r, struct fake_rule rule);
/* Executes what has arrived on a connection, as far as it is whole commands. */
void fake_serve(struct stream *s);
/* What was cut off on its way to the server gets there after all. */
void fake_deliver_late(struct fake_redis *r);
/* kill -9: connections end, the data stays. */
void fake_restart(struct fake_redis *r);
/* Is there something for the client to read on any connection? */
bool fake_has_news(const struct fake_redis *r);
