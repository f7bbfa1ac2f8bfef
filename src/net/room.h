#pragma once
/* Room for new connections: a worker that is nearly full closes the longest idle ones, loses patience sooner, and lets
 * no client have more than its share.
 *
 * Thread: the worker's.
 * Happy path: with free slots to spare, and half of the memory budget, nothing happens.
 * Some slots are kept free, so that whoever comes is accepted at once: when fewer are left, connections that have not
 * moved for ROOM_IDLE_MS are closed, the longest idle first. They are found by a walk over all slots, which remembers
 * ROOM_FOUND_MAX of them, so that traffic on a connection costs nothing. A client is an IPv4 address, or an IPv6 /64; a
 * /48 may have ROOM_SITE_FACTOR times as many. Clients are told apart by a keyed hash: two may share a place (1 in 65
 * 536), and then its limit. */

#include "net/conns.h"

#define ROOM_IDLE_MS 100
#define ROOM_SITE_FACTOR 4

int room_init(struct conns *cs); /* 0 or -errno */
void room_fini(struct conns *cs);

/* A connection has been accepted, its peer is known if peers are wanted. It may be closed for its client's sake, or
 * others for its own. */
void room_accepted(struct conns *cs, struct conn *c);
void room_closed(struct conns *cs, struct conn *c);
void room_tick(struct conns *cs);
