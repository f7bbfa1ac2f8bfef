#pragma once
/* A Redis in memory behind a transport, with connections that can be cut at any byte and bytes that arrive late.
 *
 * Strings, lists (only to be of the wrong type), WATCH/MULTI/EXEC as a server does them: a WATCH belongs to its
 * connection, EXEC is refused when a watched key changed, an error while queueing aborts. What a client sends
 * is executed at once unless the connection is cut; what was cut off can be delivered later (`late`), on the same
 * old connection, as a slow network does. */

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "redis/transport.h"

#define FAKE_KEYS_MAX 4096
#define FAKE_CONNS_MAX 4096
#define FAKE_ARGS_MAX 8
#define FAKE_WATCHES_MAX 8
#define FAKE_RULES_MAX 8
#define FAKE_NO_CUT UINT64_MAX

struct fake_key {
    char name[352];
    char value[64];
    bool is_list, exists;
    uint64_t version;
};

struct fake_command {
    char *args[FAKE_ARGS_MAX]; /* owned */
    int count;
};

struct fake_watch {
    struct fake_key *key;
    uint64_t version;
};

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
    bool multi, aborted, authed;
    struct fake_command queue[4200];
    int queued;
    struct fake_watch watches[FAKE_WATCHES_MAX];
    int watched;
};

/* Commands of this name, on keys containing `key`, get this error. */
struct fake_rule {
    const char *command, *key, *error;
    bool in_exec; /* not when queued, only when executed */
};

struct fake_redis {
    struct fake_key *keys; /* owned; FAKE_KEYS_MAX */
    int keys_count;
    struct stream *conns[FAKE_CONNS_MAX]; /* owned */
    int conns_count;
    int open_error;                     /* of the next connects; 0: fine */
    bool mute;                          /* connects, and then never answers */
    uint64_t next_in_cut, next_out_cut; /* of the next connection; FAKE_NO_CUT: none */
    enum fake_ending next_ending;
    struct fake_rule rules[FAKE_RULES_MAX];
    int rules_count;
    const char *password; /* NULL: none asked for */
    const char *policy, *role;
    uint64_t executed_incrbys, executed_outside_multi, execs, gets;
    const char *cut_after_command; /* the connection is cut when this was executed; its reply is lost */
};

static inline void fake_init(struct fake_redis *r)
{
    *r = (struct fake_redis){
        .next_in_cut = FAKE_NO_CUT, .next_out_cut = FAKE_NO_CUT, .policy = "noeviction", .role = "master"};
    r->keys = calloc(FAKE_KEYS_MAX, sizeof(*r->keys));
}

/* ---- keys ---- */

static inline struct fake_key *fake_key(struct fake_redis *r, const char *name)
{
    for (int i = 0; i < r->keys_count; i++) {
        if (strcmp(r->keys[i].name, name) == 0)
            return &r->keys[i];
    }
    assert(r->keys_count < FAKE_KEYS_MAX && strlen(name) < sizeof(r->keys[0].name));
    struct fake_key *k = &r->keys[r->keys_count++];
    strcpy(k->name, name);
    return k;
}

static inline void fake_set(struct fake_redis *r, const char *name, const char *value)
{
    struct fake_key *k = fake_key(r, name);

    k->exists = true;
    k->is_list = false;
    snprintf(k->value, sizeof(k->value), "%s", value);
    k->version++;
}

static inline void fake_delete(struct fake_redis *r, const char *name)
{
    struct fake_key *k = fake_key(r, name);

    k->exists = false;
    k->version++;
}

static inline int64_t fake_value(struct fake_redis *r, const char *name)
{
    struct fake_key *k = fake_key(r, name);

    return k->exists ? strtoll(k->value, NULL, 10) : 0;
}

static inline struct fake_key *fake_ledger(struct fake_redis *r)
{
    for (int i = r->keys_count - 1; i >= 0; i--) {
        if (strstr(r->keys[i].name, "!ledger:") && r->keys[i].exists)
            return &r->keys[i];
    }
    return NULL;
}

/* ---- commands ---- */

static inline void fake_answer(struct stream *s, const char *text)
{
    buf_append(&s->out, text, strlen(text));
    buf_append(&s->out, "\r\n", 2);
}

static inline void fake_answer_bulk(struct stream *s, const char *text)
{
    buf_printf(&s->out, "$%zu\r\n%s\r\n", strlen(text), text);
}

static inline const char *fake_refusal(struct fake_redis *r, const struct fake_command *c, bool in_exec)
{
    for (int i = 0; i < r->rules_count; i++) {
        const struct fake_rule *rule = &r->rules[i];
        if (strcmp(rule->command, c->args[0]) == 0 && rule->in_exec == in_exec &&
            (!rule->key || (c->count > 1 && strstr(c->args[1], rule->key))))
            return rule->error;
    }
    return NULL;
}

static inline void fake_incrby(struct stream *s, const struct fake_command *c)
{
    struct fake_key *k = fake_key(s->redis, c->args[1]);
    char *end;
    int64_t now = 0, sum;

    if (k->exists && k->is_list) {
        fake_answer(s, "-WRONGTYPE Operation against a key holding the wrong kind of value");
        return;
    }
    if (k->exists)
        now = strtoll(k->value, &end, 10);
    if (k->exists && (*end || !k->value[0])) {
        fake_answer(s, "-ERR value is not an integer or out of range");
        return;
    }
    if (__builtin_add_overflow(now, strtoll(c->args[2], NULL, 10), &sum)) {
        fake_answer(s, "-ERR increment or decrement would overflow");
        return;
    }
    snprintf(k->value, sizeof(k->value), "%" PRId64, sum);
    k->exists = true;
    k->version++;
    s->redis->executed_incrbys++;
    buf_printf(&s->out, ":%" PRId64 "\r\n", sum);
}

static inline void fake_get(struct stream *s, const struct fake_command *c, bool range)
{
    const struct fake_key *k = fake_key(s->redis, c->args[1]);

    s->redis->gets++;
    if (k->exists && k->is_list)
        fake_answer(s, "-WRONGTYPE Operation against a key holding the wrong kind of value");
    else if (k->exists)
        fake_answer_bulk(s, k->value);
    else if (range)
        fake_answer_bulk(s, "");
    else
        fake_answer(s, "$-1");
}

static inline void fake_watch(struct stream *s, const struct fake_command *c)
{
    struct fake_key *k = fake_key(s->redis, c->args[1]);

    assert(s->watched < FAKE_WATCHES_MAX);
    s->watches[s->watched++] = (struct fake_watch){k, k->version};
    fake_answer(s, "+OK");
}

static inline void fake_info(struct stream *s, const struct fake_command *c)
{
    char text[128];

    if (c->count > 1 && strcmp(c->args[1], "replication") == 0)
        snprintf(text, sizeof(text), "# Replication\r\nrole:%s\r\nconnected_slaves:0\r\n", s->redis->role);
    else
        snprintf(text, sizeof(text), "# Memory\r\nmaxmemory_policy:%s\r\nmem_fragmentation:1\r\n", s->redis->policy);
    fake_answer_bulk(s, text);
}

static inline void fake_auth(struct stream *s, const struct fake_command *c)
{
    s->authed = s->redis->password && strcmp(c->args[c->count - 1], s->redis->password) == 0;
    fake_answer(s, s->authed ? "+OK" : "-WRONGPASS invalid username-password pair or user is disabled.");
}

static inline void fake_execute(struct stream *s, const struct fake_command *c)
{
    const char *name = c->args[0];

    if (strcmp(name, "INCRBY") == 0) {
        s->redis->executed_outside_multi += !s->multi;
        fake_incrby(s, c);
    } else if (strcmp(name, "GET") == 0 || strcmp(name, "GETRANGE") == 0) {
        fake_get(s, c, name[3] == 'R');
    } else if (strcmp(name, "SET") == 0) {
        fake_set(s->redis, c->args[1], c->args[2]);
        fake_answer(s, "+OK");
    } else if (strcmp(name, "WATCH") == 0) {
        fake_watch(s, c);
    } else if (strcmp(name, "INFO") == 0) {
        fake_info(s, c);
    } else if (strcmp(name, "AUTH") == 0) {
        fake_auth(s, c);
    } else {
        fake_answer(s, "+OK"); /* SELECT, CLIENT */
    }
}

static inline void command_free(struct fake_command *c)
{
    for (int i = 0; i < c->count; i++)
        free(c->args[i]);
    c->count = 0;
}

static inline void fake_end_multi(struct stream *s)
{
    for (int i = 0; i < s->queued; i++)
        command_free(&s->queue[i]);
    s->queued = 0;
    s->multi = false;
    s->aborted = false;
    s->watched = 0;
}

static inline bool fake_watch_broken(const struct stream *s)
{
    for (int i = 0; i < s->watched; i++) {
        if (s->watches[i].key->version != s->watches[i].version)
            return true;
    }
    return false;
}

static inline void fake_exec(struct stream *s)
{
    if (!s->multi) {
        fake_answer(s, "-ERR EXEC without MULTI");
        return;
    }
    if (s->aborted) {
        fake_answer(s, "-EXECABORT Transaction discarded because of previous errors.");
    } else if (fake_watch_broken(s)) {
        fake_answer(s, "*-1");
    } else {
        s->redis->execs++;
        buf_printf(&s->out, "*%d\r\n", s->queued);
        for (int i = 0; i < s->queued; i++) {
            const char *refusal = fake_refusal(s->redis, &s->queue[i], true);
            if (refusal)
                fake_answer(s, refusal);
            else
                fake_execute(s, &s->queue[i]);
        }
    }
    fake_end_multi(s);
}

static inline void fake_queue(struct stream *s, struct fake_command *c)
{
    assert(s->queued < (int)(sizeof(s->queue) / sizeof(s->queue[0])));
    s->queue[s->queued++] = *c;
    c->count = 0;
    fake_answer(s, "+QUEUED");
}

static inline void fake_command(struct stream *s, struct fake_command *c)
{
    const char *name = c->args[0], *refusal = fake_refusal(s->redis, c, false);
    bool auth = strcmp(name, "AUTH") == 0;

    if (s->redis->password && !s->authed && !auth)
        refusal = "-NOAUTH Authentication required.";
    if (refusal) {
        fake_answer(s, refusal);
        s->aborted |= s->multi;
        if (strcmp(name, "EXEC") == 0)
            fake_end_multi(s);
    } else if (strcmp(name, "MULTI") == 0) {
        fake_answer(s, "+OK");
        s->multi = true;
    } else if (strcmp(name, "EXEC") == 0) {
        fake_exec(s);
    } else if (strcmp(name, "DISCARD") == 0) {
        fake_answer(s, s->multi ? "+OK" : "-ERR DISCARD without MULTI");
        fake_end_multi(s);
    } else if (s->multi) {
        fake_queue(s, c);
    } else {
        fake_execute(s, c);
    }
}

/* ---- bytes ---- */

static inline bool parse_count(const struct buf *b, size_t *at, char kind, long *n)
{
    const char *end = memchr(b->data + *at, '\n', b->bytes - *at);

    if (!end)
        return false;
    assert(b->data[*at] == kind);
    *n = strtol(b->data + *at + 1, NULL, 10);
    *at = (size_t)(end + 1 - b->data);
    return true;
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
        c->args[c->count++] = strndup(b->data + at, (size_t)bytes);
        at += (size_t)bytes + 2;
    }
    buf_consume(b, at);
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
        if (!last)
            continue;
        s->redis->cut_after_command = NULL;
        s->out.bytes = before;
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

static inline void fake_close(struct stream *s)
{
    s->open = false;
} /* the server may still get late bytes */

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
