#pragma once
/* The transport over non-blocking TCP sockets (TCP_NODELAY, SO_KEEPALIVE).
 *
 * Thread: any, as it has no state but its streams.
 * Every address of the name is tried in turn. Names are resolved by getaddrinfo(3) inside open(), which can hold the
 * caller up for as long as the resolver's time-out. Only the flusher waits there, never a worker. */

#include "redis/transport.h"

struct transport transport_tcp(void);
