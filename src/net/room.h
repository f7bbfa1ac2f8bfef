#pragma once
/* Room for new connections. A worker that is nearly full closes the longest idle ones, loses patience sooner, and lets
 * no client have more than its share.
 *
 * Thread: the worker's.
 * Happy path: with free slots to spare, and half of the memory budget, nothing happens.
 * Some slots are kept free, so that whoever comes is accepted at once. When fewer are left, connections that have not
 * moved for ROOM_IDLE_MS are closed, the longest idle first. A walk over all slots finds them and remembers
 * ROOM_FOUND_MAX of them, so that traffic on a connection costs nothing.
 * Where addresses are not looked at anyway (conns.peers), the engine is asked for them, and only while shares hold.
 * It is asked about each new connection, and about those from before, some at a time. So they cost nothing while there
 * is room. A client is an IPv4 address or an IPv6 /64. A /48 may have ROOM_SITE_FACTOR times as many. Clients are told
 * apart by a keyed hash. Two of 65 536 may share a place, and then its limit. */

#include "net/conns.h"

#define ROOM_IDLE_MS 100
#define ROOM_SITE_FACTOR 4

int room_init(struct conns *cs); /* 0 or -errno */
void room_fini(struct conns *cs);

/* Called when a connection has been accepted, and its peer is known if peers are wanted. It may be closed because of
 * its client, or others because of it. */
void room_accepted(struct conns *cs, struct conn *c);
/* Called when the engine has said who is there: its event. */
void room_peer_told(void *conns, uint32_t slot, const struct sockaddr_storage *peer);
void room_closed(struct conns *cs, struct conn *c);
void room_tick(struct conns *cs);
