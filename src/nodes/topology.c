#include "nodes/topology.h"

#include <errno.h>
#include <stdlib.h>

#include "nodes/outage.h"
#include "nodes/refusals.h"
#include "protocol/command.h"
#include "protocol/crc16.h"
#include "sync/atomic.h"

#define ASK_PAUSE_MS 1000
#define ASK_UNASKED_MS 15000
#define ASKS_IN_VAIN_MAX 3
#define WISHES_APART_MS 10000 /* a wish so long after the last question is about something else */
#define MAP_NODES_MAX 65536   /* replies in one tree: a thousand shards with five replicas */

enum topology_meta { META_UNKNOWN, META_AGREES, META_DIFFERS };

struct topology {
    struct topology_config config;
    struct link *link;      /* owned */
    struct node_address at; /* whom the link connects to */
    uint32_t turn;          /* of those to try: 0 the seed, then the known ones */
    enum topology_meta meta;
    bool asking, wished;
    bool came_for_meta, set_refused;
    bool idle_end; /* the server closed the connection while nothing was asked */
    struct outage outage;
    struct refused refused;
    uint32_t asks_in_vain; /* by wish, one after the other */
    uint64_t now_ms;
    uint64_t asked_ms, may_ask_ms, unasked_ms;
    char meta_key[KEYSPACE_PREFIX_BYTES_MAX + 8], meta_value[KEYSPACE_META_BYTES_MAX];
    struct buf out;
};

static uint64_t with_jitter(const struct topology *s, uint64_t ms)
{
    return ms + env_random(s->config.accounts->env) % (ms / 4);
}

static void topology_head_for(struct topology *s, const struct node_address *to)
{
    s->at = *to;
    link_set_address(s->link, s->at.host, s->at.other, s->at.port);
}

static void topology_head_for_next(struct topology *s)
{
    struct node_address next;

    if (s->config.known(s->config.ctx, s->turn, &next)) {
        s->turn++;
    } else {
        s->turn = 0;
        next = s->config.seed;
    }
    topology_head_for(s, &next);
}

/* ---- what the answers say ---- */

static void topology_complain(struct topology *s, const char *command, const struct reply *reply)
{
    bool error = reply->type == REPLY_ERROR; /* else it is an answer that is none of those that there are: a proxy's */
    enum redis_error_class c = error ? redis_error_classify(reply->text) : REDIS_ERROR_OTHER;

    accounts_count_error(s->config.accounts, c);
    refused_note(&s->refused, command, error ? reply->text : SLICE("(not what this command is answered with)"));
    refusals_complain(s->config.accounts->refusals, &s->refused, c, s->link);
}

static void topology_judge_meta(struct topology *s, struct slice value)
{
    struct slice ours = keyspace_meta_value(s->config.space, s->meta_value);

    refusals_end(s->config.accounts->refusals, &s->refused);
    s->meta = slice_equals(value, ours) ? META_AGREES : META_DIFFERS;
    if (s->meta == META_DIFFERS)
        s->config.differs(s->config.ctx, keyspace_meta_partitions(value));
}

/* The answers to SET … NX, which says nothing that GET does not but why it was refused, and to GET. */
static void topology_on_meta(void *ctx, const struct reply *reply, uint32_t index)
{
    struct topology *s = ctx;

    if (index == 0) {
        s->set_refused = reply->type == REPLY_ERROR;
        if (s->set_refused)
            topology_complain(s, "set", reply);
        return;
    }
    s->asking = false;
    if (reply->type == REPLY_STRING) {
        topology_judge_meta(s, reply->text);
        return;
    }
    s->wished = true; /* MOVED, say: then the next map leads on */
    if (!s->set_refused || reply->type != REPLY_NIL)
        topology_complain(s, "get", reply);
}

static void topology_send(struct topology *s, uint32_t replies, link_reply_fn fn)
{
    s->asking = true;
    link_expect(s->link, replies, fn, s);
    link_send_commands(s->link, &s->out);
}

static void topology_ask_meta(struct topology *s)
{
    struct slice key = keyspace_meta_key(s->config.space, s->meta_key);
    struct slice value = keyspace_meta_value(s->config.space, s->meta_value);

    buf_clear(&s->out);
    command_append(&s->out, 4, (struct slice[]){SLICE("SET"), key, value, SLICE("NX")});
    command_append(&s->out, 2, (struct slice[]){SLICE("GET"), key});
    topology_send(s, 2, topology_on_meta);
}

/* Only a node that knows a map is asked for the key: on a server that is no cluster nothing must be written. */
static void topology_find_meta(struct topology *s, const struct reply *slots)
{
    uint16_t slot = key_slot(keyspace_meta_key(s->config.space, s->meta_key));
    struct node_address owner;

    if (!slots_find(slots, slot, &s->at, &owner)) {
        s->wished = true;
    } else if (s->came_for_meta || node_address_equals(&owner, &s->at)) {
        s->came_for_meta = false; /* whatever this node calls itself */
        topology_ask_meta(s);
    } else {
        s->came_for_meta = true;
        topology_head_for(s, &owner);
        link_fail(s->link, -EREMOTE, "the key is on another node");
        s->may_ask_ms = s->now_ms;
    }
}

static void topology_on_slots(void *ctx, const struct reply *reply, uint32_t index)
{
    struct topology *s = ctx;
    (void)index;

    s->asking = false;
    if (!slots_fits(reply)) {
        s->wished = true;
        topology_complain(s, "cluster|slots", reply);
        return;
    }
    if (s->meta != META_UNKNOWN)
        refusals_end(s->config.accounts->refusals, &s->refused);
    s->config.map(s->config.ctx, reply, &s->at, s->asked_ms);
    if (s->meta == META_UNKNOWN)
        topology_find_meta(s, reply);
}

/* ---- asking ---- */

/* Partitions that are refused wish at least every 5 s. */
static bool topology_starts_anew(const struct topology *s) { return s->now_ms - s->asked_ms >= WISHES_APART_MS; }

static void topology_ask(struct topology *s)
{
    s->asks_in_vain = s->wished && !topology_starts_anew(s) ? s->asks_in_vain + 1 : 0;
    s->wished = false;
    s->asked_ms = s->now_ms;
    s->may_ask_ms = s->now_ms + with_jitter(s, ASK_PAUSE_MS);
    s->unasked_ms = s->now_ms + with_jitter(s, ASK_UNASKED_MS);
    buf_clear(&s->out);
    command_append(&s->out, 2, (struct slice[]){SLICE("CLUSTER"), SLICE("SLOTS")});
    topology_send(s, 1, topology_on_slots);
}

static bool topology_is_due(const struct topology *s)
{
    return s->meta != META_DIFFERS && !s->asking && s->now_ms >= s->may_ask_ms &&
           (s->wished || s->now_ms >= s->unasked_ms);
}

void topology_tick(struct topology *s, uint64_t now_ms)
{
    s->now_ms = now_ms;
    link_tick(s->link, now_ms);
    if (link_state(s->link) != LINK_READY || !topology_is_due(s))
        return;
    if (s->asks_in_vain >= ASKS_IN_VAIN_MAX && s->wished && !topology_starts_anew(s)) {
        s->asks_in_vain = 0;
        topology_head_for_next(s);
        link_fail(s->link, -EREMOTE, "another node may know better");
        return;
    }
    topology_ask(s);
    link_flush(s->link);
}

void topology_wish(struct topology *s) { s->wished = true; }
void topology_reconnect(struct topology *s) { link_fail(s->link, -ECANCELED, "asked to connect anew"); }
bool topology_is_lost(const struct topology *s) { return s->outage.reported; }
bool topology_agrees(const struct topology *s) { return s->meta == META_AGREES; }
const struct link *topology_link(const struct topology *s) { return s->link; }

uint64_t topology_wake_ms(const struct topology *s)
{
    uint64_t link = link_wake_ms(s->link), ask = s->unasked_ms;

    if (link_state(s->link) != LINK_READY || s->asking || s->meta == META_DIFFERS)
        return link;
    if (s->wished)
        ask = s->may_ask_ms;
    return ask < link ? ask : link;
}

/* ---- the link's news ---- */

static void topology_link_ready(void *ctx)
{
    struct topology *s = ctx;

    outage_over(&s->outage);
    if (s->idle_end)
        return; /* the map is as fresh as it was */
    s->asks_in_vain = 0;
    topology_wish(s);
}

static void topology_link_down(void *ctx)
{
    struct topology *s = ctx;

    s->asking = false;
    /* Deliberate departures have set the way already. */
    s->idle_end = link_ended_idle(s->link);
    if (s->idle_end || link_reason_code(s->link) == -EREMOTE)
        return;
    stat_add(&s->config.accounts->stats->link_errors, 1);
    outage_lost(&s->outage, s->config.accounts->env, &s->at, s->link);
    if (link_turns_to_other(s->link))
        return;
    s->came_for_meta = false;
    topology_head_for_next(s);
}

static void topology_link_refused(void *ctx, const struct redis_refusal *what)
{
    struct topology *s = ctx;

    accounts_count_error(s->config.accounts, what->class);
    refusals_raise(s->config.accounts->refusals, &s->refused, what, link_host(s->link), s->at.port);
}

static void topology_link_evicts(void *ctx, struct slice policy)
{
    (void)ctx, (void)policy; /* the nodes' links say it */
}

/* ---- life ---- */

int topology_create(struct topology **out, const struct topology_config *config)
{
    struct topology *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->at = config->seed;
    const struct link_user user = {
        .ctx = s,
        .ready = topology_link_ready,
        .down = topology_link_down,
        .refused = topology_link_refused,
        .evicts = topology_link_evicts,
    };
    struct link_config link = *config->link;
    link.host = s->at.host;
    link.other_host = s->at.other;
    link.port = s->at.port;
    link.any_role = true;
    link.limits.nodes_max = MAP_NODES_MAX;
    if (link_create(&s->link, &link, &user)) {
        free(s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

void topology_destroy(struct topology *s)
{
    if (!s)
        return;
    link_destroy(s->link);
    buf_fini(&s->out);
    free(s);
}
