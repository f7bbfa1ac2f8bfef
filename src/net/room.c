#include "net/room.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "sync/atomic.h"

#define PLACES (1u << 16)
#define SPARE_SHARE 64 /* one slot in so many is kept free … */
#define SPARE_MAX 64   /* … and no more than these */
#define PATIENCE_MS_MIN 500
#define PEERS_AT_ONCE 1024 /* half a millisecond of questions */

/* ---- the longest idle ---- */

static bool may_give_way(const struct conns *cs, const struct conn *c)
{
    bool open = !conn_is_gone(c) && !conn_waits(c);

    return open && engine_now_ms(cs->engine) - c->active_ms >= ROOM_IDLE_MS;
}

/* Keeps `found` sorted, the longest idle last. */
static void found_insert(struct conns *cs, uint32_t slot)
{
    struct room *room = &cs->room;
    uint64_t active_ms = cs->conns[slot].active_ms;
    uint32_t at = room->found_count < ROOM_FOUND_MAX ? room->found_count++ : 0;

    if (at == 0 && room->found_count == ROOM_FOUND_MAX) { /* full: the least idle of them is the first */
        if (cs->conns[room->found[0]].active_ms <= active_ms)
            return;
        for (; at + 1 < ROOM_FOUND_MAX && cs->conns[room->found[at + 1]].active_ms > active_ms; at++)
            room->found[at] = room->found[at + 1];
    } else {
        for (; at > 0 && cs->conns[room->found[at - 1]].active_ms < active_ms; at--)
            room->found[at] = room->found[at - 1];
    }
    room->found[at] = slot;
}

static void find(struct conns *cs)
{
    struct room *room = &cs->room;

    if (room->searched_ms == engine_now_ms(cs->engine))
        return; /* once a batch: who was busy then is busy now */
    room->searched_ms = engine_now_ms(cs->engine);
    for (uint32_t slot = 0; slot < cs->max; slot++)
        if (may_give_way(cs, &cs->conns[slot]))
            found_insert(cs, slot);
}

static bool close_longest_idle(struct conns *cs)
{
    struct room *room = &cs->room;

    if (room->found_count == 0)
        find(cs);
    while (room->found_count > 0) {
        struct conn *c = &cs->conns[room->found[--room->found_count]];
        if (!may_give_way(cs, c))
            continue; /* it has moved, or another is there now */
        stat_add(&cs->stats.conns_shed_full, 1);
        conn_close(cs, c);
        room->closing++;
        return true;
    }
    return false;
}

static void slots_free(struct conns *cs)
{
    struct room *room = &cs->room;

    while (cs->stats.conns_open - room->closing > cs->max - room->spare && close_longest_idle(cs))
        ;
}

/* ---- clients ---- */

static uint32_t *place_of(struct conns *cs, const struct ip *ip, size_t bytes)
{
    return &cs->room.clients[siphash13(&cs->room.key, (const char *)ip->bytes, bytes) % PLACES];
}

/* Of its client, and of the site that the client belongs to (NULL: of IPv4 there is none). */
static void places_of(struct conns *cs, const struct conn *c, uint32_t *places[2])
{
    const struct ip *ip = &cs->room.peers[conn_slot(cs, c)];
    bool v4 = ip_is_v4(ip);

    places[0] = place_of(cs, ip, v4 ? sizeof(ip->bytes) : 8);
    places[1] = v4 ? NULL : place_of(cs, ip, 6);
}

static bool shares_hold(const struct conns *cs) { return cs->stats.conns_open >= cs->client_from; }

/* false: its client has as many as it may. */
static bool client_take(struct conns *cs, struct conn *c)
{
    const struct handler *h = &cs->handler;
    uint32_t *places[2];

    if (!cs->room.clients || (h->is_proxy && h->is_proxy(h->ctx, &cs->room.peers[conn_slot(cs, c)])))
        return true;
    places_of(cs, c, places);
    bool due = cs->peers || c->client_due;
    bool many = *places[0] >= cs->client_max || (places[1] && *places[1] >= ROOM_SITE_FACTOR * cs->client_max);
    if (many && due && shares_hold(cs))
        return false;
    c->client_counted = true;
    for (int i = 0; i < 2 && places[i]; i++)
        ++*places[i];
    return true;
}

/* ---- events ---- */

static void client_admit(struct conns *cs, struct conn *c)
{
    if (client_take(cs, c))
        return;
    stat_add(&cs->stats.conns_shed_client, 1);
    conn_close(cs, c);
    cs->room.closing++;
}

/* Once shares hold: of whom the connections are that were there before, then of whom the new one is. */
static void peers_ask(struct conns *cs, struct conn *c)
{
    struct room *room = &cs->room;
    uint32_t until = cs->max - room->asked > PEERS_AT_ONCE ? room->asked + PEERS_AT_ONCE : cs->max;

    for (; room->asked < until; room->asked++) {
        const struct conn *old = &cs->conns[room->asked];
        if (old != c && !old->client_counted && !conn_is_gone(old))
            engine_peer_ask(cs->engine, room->asked);
    }
    c->client_due = true;
    engine_peer_ask(cs->engine, conn_slot(cs, c));
}

void room_accepted(struct conns *cs, struct conn *c)
{
    if (cs->peers)
        client_admit(cs, c);
    else if (cs->room.clients && shares_hold(cs))
        peers_ask(cs, c);
    slots_free(cs);
}

void room_peer_told(void *conns, uint32_t slot, const struct sockaddr_storage *peer)
{
    struct conns *cs = conns;
    struct conn *c = &cs->conns[slot];
    struct ip *ip = &cs->room.peers[slot];

    if (c->client_counted || conn_is_gone(c) || !ip_from_socket(peer, ip))
        return;
    client_admit(cs, c);
}

void room_closed(struct conns *cs, struct conn *c)
{
    uint32_t *places[2];

    if (cs->room.closing > 0)
        cs->room.closing--;
    if (cs->stats.conns_open < cs->client_from - cs->client_from / 8)
        cs->room.asked = 0;
    if (!c->client_counted)
        return;
    c->client_counted = false;
    places_of(cs, c, places);
    for (int i = 0; i < 2 && places[i]; i++)
        --*places[i];
}

/* All of it up to a fill of a half, then less and less, a tenth at the end. */
static uint32_t patience(uint32_t ms, uint32_t fill)
{
    uint64_t shorter = fill <= 500 ? ms : (uint64_t)ms * (1000 - (fill - 500) * 9 / 5) / 1000;

    if (shorter >= PATIENCE_MS_MIN)
        return (uint32_t)shorter;
    return ms < PATIENCE_MS_MIN ? ms : PATIENCE_MS_MIN;
}

void room_tick(struct conns *cs)
{
    const struct worker_timeouts *t = &cs->timeouts;
    uint32_t conns = (uint32_t)(cs->stats.conns_open * 1000 / cs->max), memory = budget_fill(cs->purse.budget);
    uint32_t fill = conns > memory ? conns : memory;

    cs->patience = (struct worker_timeouts){
        .head_ms = patience(t->head_ms, fill),
        .body_ms = patience(t->body_ms, fill),
        .send_ms = patience(t->send_ms, fill),
        .idle_ms = patience(t->idle_ms, fill),
        .linger_ms = patience(t->linger_ms, fill),
    };
    slots_free(cs);
}

/* ---- life ---- */

int room_init(struct conns *cs)
{
    uint32_t spare = cs->max / SPARE_SHARE;

    cs->patience = cs->timeouts;
    cs->room.spare = spare < SPARE_MAX ? spare : SPARE_MAX;
    if (cs->client_max == 0)
        return 0;
    int failed = random_bytes(&cs->room.key, sizeof(cs->room.key));
    if (failed)
        return failed;
    cs->room.peers = cs->peers ? cs->peers : calloc(cs->max, sizeof(*cs->room.peers));
    cs->room.clients = calloc(PLACES, sizeof(*cs->room.clients));
    return cs->room.clients && cs->room.peers ? 0 : -ENOMEM;
}

void room_fini(struct conns *cs)
{
    if (cs->room.peers != cs->peers)
        free(cs->room.peers);
    free(cs->room.clients);
    cs->room.peers = NULL; /* a worker may be opened again, and fail before room_init() */
    cs->room.clients = NULL;
}
