#include "moving/calls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "nodes/link_settings.h"
#include "protocol/command.h"
#include "protocol/crc16.h"
#include "protocol/words.h"
#include "redis/access.h"
#include "redis/link.h"
#include "redis/slots.h"
#include "redis/transport_tcp.h"
#include "redis/transport_tls.h"

#define NODES_MAX 1024
#define TREE_NODES_MAX 65536 /* a map of a thousand shards, or an answer to SCAN */
#define TREE_TEXT_MAX (1 << 23)

struct connection {
    struct node_address at;
    struct link *link; /* owned; NULL: there is none */
};

struct calls {
    const struct flush_options *options;
    struct env env;
    struct transport transport; /* of `env` */
    struct tls *tls;            /* owned; NULL: plain */
    struct connection nodes[NODES_MAX];
    uint32_t nodes_count;
    uint16_t owners[SLOTS]; /* NODES_MAX: nobody */
    /* of the question under way */
    calls_reply_fn fn;
    void *ctx;
    uint32_t due;
    bool ready, down;
    int refused; /* -EAGAIN or -EPERM, or 0 */
    char words[WORDS_BYTES];
};

static uint64_t now_ms(const struct calls *c) { return env_now_us(&c->env) / 1000; }

/* ---- news of the link ---- */

static bool is_for_good(enum redis_error_class class)
{
    switch (class) {
    case REDIS_ERROR_CROSSSLOT:
    case REDIS_ERROR_NOAUTH:
    case REDIS_ERROR_WRONGPASS:
    case REDIS_ERROR_NOPERM:
    case REDIS_ERROR_NOPERM_KEY:
    case REDIS_ERROR_UNKNOWN_COMMAND:
    case REDIS_ERROR_PROTECTED:
    case REDIS_ERROR_NO_CLUSTER:
    case REDIS_ERROR_DATABASE:
    case REDIS_ERROR_AUTH_UNWANTED: return true;
    default: return false;
    }
}

static void calls_on_ready(void *ctx) { ((struct calls *)ctx)->ready = true; }
static void calls_on_down(void *ctx) { ((struct calls *)ctx)->down = true; }
static void calls_on_evicts(void *ctx, struct slice policy) { (void)ctx, (void)policy; /* the pods say it */ }

static void calls_on_refused(void *ctx, const struct redis_refusal *what)
{
    struct calls *c = ctx;

    c->refused = is_for_good(what->class) ? -EPERM : -EAGAIN;
    words_take(c->words, (struct slice){what->words, strlen(what->words)});
}

static void calls_on_reply(void *ctx, const struct reply *reply, uint32_t index)
{
    struct calls *c = ctx;
    enum redis_error_class class = reply->type == REPLY_ERROR ? redis_error_classify(reply->text) : REDIS_ERROR_NONE;

    c->due--;
    if (class == REDIS_ERROR_NONE || class == REDIS_ERROR_WRONGTYPE) {
        if (!c->refused)
            c->fn(c->ctx, reply, index);
        return;
    }
    if (c->refused)
        return; /* the first says why */
    c->refused = is_for_good(class) ? -EPERM : -EAGAIN;
    words_take(c->words, reply->text);
}

/* ---- one question ---- */

static int connection_open(struct calls *c, struct connection *n)
{
    const struct link_user user = {
        .ctx = c,
        .ready = calls_on_ready,
        .down = calls_on_down,
        .refused = calls_on_refused,
        .evicts = calls_on_evicts,
    };
    struct link_config link = link_settings(c->options, &c->env);

    link.host = n->at.host;
    link.other_host = n->at.other;
    link.port = n->at.port;
    link.any_role = c->options->partitions > 0; /* a replica sends us on, or tells the map */
    link.limits = (struct resp_limits){.nodes_max = TREE_NODES_MAX, .text_bytes_max = TREE_TEXT_MAX};
    return link_create(&n->link, &link, &user);
}

static void connection_close(struct connection *n)
{
    link_destroy(n->link);
    n->link = NULL;
}

static void connection_wait(const struct calls *c, const struct connection *n)
{
    uint64_t now = now_ms(c), wake = link_wake_ms(n->link);
    struct pollfd fd;

    link_poll(n->link, &fd);
    poll(&fd, 1, wake <= now ? 0 : wake - now > 1000 ? 1000 : (int)(wake - now));
}

/* The connection is of no more use, because nobody knows what is still due on it. */
static int calls_fail(const struct calls *c, struct connection *n, struct error *err)
{
    bool told = c->refused && c->words[0];
    int failed = c->refused ? c->refused : -EAGAIN;

    error_set(err, failed, "%s:%u: %s", n->at.host, n->at.port,
              told                    ? c->words
              : *link_reason(n->link) ? link_reason(n->link)
                                      : "no answer");
    connection_close(n);
    return failed;
}

static void calls_begin(struct calls *c, calls_reply_fn fn, void *ctx)
{
    c->fn = fn;
    c->ctx = ctx;
    c->due = 0;
    c->down = false;
    c->refused = 0;
    c->words[0] = '\0';
}

static int connection_ready(struct calls *c, struct connection *n, struct error *err)
{
    if (n->link)
        return 0;
    if (connection_open(c, n) < 0)
        return error_set(err, -EAGAIN, "no memory for a connection");
    for (c->ready = false; !c->ready && !c->down;) {
        link_tick(n->link, now_ms(c));
        if (!c->ready && !c->down)
            connection_wait(c, n);
    }
    return c->down ? calls_fail(c, n, err) : 0;
}

int calls_ask(struct calls *c, uint32_t node, const struct buf *commands, uint32_t replies, calls_reply_fn fn,
              void *ctx, struct error *err)
{
    struct connection *n = &c->nodes[node];

    calls_begin(c, fn, ctx);
    int failed = connection_ready(c, n, err);
    if (failed)
        return failed;
    link_tick(n->link, now_ms(c)); /* a server that hung up since is noticed before anything is sent */
    c->due = replies;
    if (!c->down) {
        link_expect(n->link, replies, calls_on_reply, c);
        link_send_commands(n->link, commands);
    }
    while (!c->down) {
        link_tick(n->link, now_ms(c));
        if (c->due == 0 || c->down)
            break;
        connection_wait(c, n);
    }
    return c->down || c->refused ? calls_fail(c, n, err) : 0;
}

/* ---- the map ---- */

static uint32_t node_number(struct calls *c, const struct node_address *at)
{
    for (uint32_t i = 0; i < c->nodes_count; i++)
        if (node_address_equals(&c->nodes[i].at, at))
            return i;
    if (c->nodes_count == NODES_MAX)
        return NODES_MAX;
    c->nodes[c->nodes_count].at = *at;
    return c->nodes_count++;
}

struct map {
    struct calls *calls;
    const struct node_address *asked;
    bool whole;
};

static void map_on_slots(void *ctx, const struct reply *reply, uint32_t index)
{
    struct map *m = ctx;
    struct node_address owner;
    (void)index;

    if (!slots_fits(reply))
        return;
    m->whole = true;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        m->calls->owners[slot] =
            slots_find(reply, (uint16_t)slot, m->asked, &owner) ? (uint16_t)node_number(m->calls, &owner) : NODES_MAX;
}

int calls_map(struct calls *c, struct error *err)
{
    struct buf out = {0};
    int failed = -EAGAIN;

    if (!c->options->partitions)
        return 0;
    command_append(&out, 2, (struct slice[]){SLICE("CLUSTER"), SLICE("SLOTS")});
    for (uint32_t i = 0, known = c->nodes_count; failed == -EAGAIN && i < known; i++) { /* the seed is the first */
        const struct node_address asked = c->nodes[i].at;
        struct map map = {.calls = c, .asked = &asked};
        failed = calls_ask(c, i, &out, 1, map_on_slots, &map, err);
        if (!failed && !map.whole)
            failed = error_set(err, -EAGAIN, "%s:%u has no map of a cluster", asked.host, asked.port);
    }
    buf_fini(&out);
    return failed;
}

uint32_t calls_owner(const struct calls *c, uint16_t slot)
{
    uint32_t owner = c->options->partitions ? c->owners[slot] : 0;
    return owner == NODES_MAX ? CALLS_NOBODY : owner;
}

uint32_t calls_nodes(const struct calls *c) { return c->nodes_count; }

/* ---- life ---- */

int calls_create(struct calls **out, const struct flush_options *options, struct error *err)
{
    struct calls *c = calloc(1, sizeof(*c));
    const struct redis_access *redis = options->redis;

    if (!c)
        return error_set(err, -ENOMEM, "no memory for connections");
    c->options = options;
    int failed = env_real_init(&c->env, err);
    if (!failed && redis->url.tls)
        failed = tls_create(&c->tls, &redis->tls, err);
    if (failed) {
        free(c);
        return failed;
    }
    c->transport = c->tls ? transport_tls(c->tls) : transport_tcp();
    c->env.transport = &c->transport;
    struct node_address seed = {.port = redis->url.port};
    snprintf(seed.host, sizeof(seed.host), "%s", redis->url.host);
    node_number(c, &seed);
    *out = c;
    return 0;
}

void calls_destroy(struct calls *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->nodes_count; i++)
        connection_close(&c->nodes[i]);
    tls_destroy(c->tls);
    free(c);
}
