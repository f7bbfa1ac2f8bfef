#pragma once
/* What a Redis does with commands: strings, lists (only to be of the wrong type), WATCH/MULTI/EXEC as a server does
 * them. A WATCH belongs to its connection, EXEC is refused when a watched key changed, an error while queueing
 * aborts. The connections themselves are in fake_redis.h. */

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
    bool replies_lost; /* nothing the server answers gets through any more: a stream has no gaps */
    bool multi, aborted, authed;
    struct fake_command queue[4200];
    int queued;
    int forgotten; /* of them: answered QUEUED when the WATCH was broken already, which Redis does not keep */
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
    /* In a cluster: what is said instead of executing this (NULL: nothing), and the answer to CLUSTER SLOTS. */
    const char *(*redirect)(struct fake_redis *r, const struct fake_command *c);
    void (*cluster_slots)(struct stream *s);
    void *cluster;
    uint64_t writes;               /* of clients, each as it came */
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
    return r->redirect && !in_exec ? r->redirect(r, c) : NULL;
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

    for (int i = 0; i < s->watched; i++) {
        if (s->watches[i].key == k) { /* as in Redis: the first WATCH stands, with what it saw */
            fake_answer(s, "+OK");
            return;
        }
    }
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
    } else if (strcmp(name, "CLUSTER") == 0 && s->redis->cluster_slots) {
        s->redis->cluster_slots(s);
    } else if (strcmp(name, "CLUSTER") == 0) {
        fake_answer(s, "-ERR This instance has cluster support disabled");
    } else if (strcmp(name, "SET") == 0 && c->count == (fake_key(s->redis, c->args[1])->exists ? 4 : 6)) {
        fake_answer(s, "$-1"); /* NX; XX */
    } else if (strcmp(name, "SET") == 0) {
        fake_set(s->redis, c->args[1], c->args[2]);
        fake_answer(s, "+OK");
    } else if (strcmp(name, "DEL") == 0) {
        fake_delete(s->redis, c->args[1]);
        fake_answer(s, ":1");
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
    s->forgotten = 0;
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
    const char *redirect = NULL;
    for (int i = 0; s->redis->redirect && !redirect && i < s->queued; i++)
        redirect = s->redis->redirect(s->redis, &s->queue[i]);
    if (redirect) {
        fake_answer(s, redirect);
    } else if (s->aborted) {
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
    s->forgotten += fake_watch_broken(s);
    assert(s->queued < (int)(sizeof(s->queue) / sizeof(s->queue[0])));
    s->queue[s->queued++] = *c;
    c->count = 0;
    fake_answer(s, "+QUEUED");
}

static inline bool text_begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static inline const char *fake_out_of_memory(const struct fake_redis *r)
{
    for (int i = 0; i < r->rules_count; i++) {
        if (text_begins(r->rules[i].error, "-OOM") && !r->rules[i].in_exec && !r->rules[i].key)
            return r->rules[i].error;
    }
    return NULL;
}

static inline bool refuses_writes_only(const char *error)
{
    return text_begins(error, "-OOM") || text_begins(error, "-READONLY") || text_begins(error, "-NOREPLICAS") ||
           text_begins(error, "-MISCONF");
}

/* What redis-server 7.0 makes of a refusal, found beside a real one (tests/sim/check_model.c). */
static inline const char *fake_refusal_now(const struct stream *s, const struct fake_command *c)
{
    const char *name = c->args[0], *refusal = fake_refusal(s->redis, c, false);
    bool exec = strcmp(name, "EXEC") == 0, write = strcmp(name, "INCRBY") == 0 || strcmp(name, "SET") == 0;

    if (s->redis->password && !s->authed && strcmp(name, "AUTH") != 0)
        return "-NOAUTH Authentication required.";
    /* Without memory nothing can be queued, whatever it is. */
    if (!refusal && s->multi && !exec && strcmp(name, "DISCARD") != 0)
        refusal = fake_out_of_memory(s->redis);
    if (refusal && write && text_begins(refusal, "-MASTERDOWN"))
        return "-READONLY You can't write against a read only replica.";
    /* Nothing is left that would write. */
    if (refusal && exec && s->queued && s->forgotten == s->queued && refuses_writes_only(refusal))
        return NULL;
    return refusal;
}

static inline void fake_command(struct stream *s, struct fake_command *c)
{
    const char *name = c->args[0], *refusal = fake_refusal_now(s, c);

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
