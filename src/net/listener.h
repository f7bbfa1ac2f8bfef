#pragma once
/* A listening TCP socket. It is non-blocking, has SO_REUSEPORT where each worker has its own, and hands TCP_NODELAY
 * down to what it accepts.
 *
 * Thread: main's.
 * Source: socket(7), tcp(7). */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* Returns the descriptor, or -errno with a sentence when the address is not ours, not permitted or in use. Waits up to
 * HANDOVER_MS (listener.c) for a port in use, because the process before may be about to give it back. */
int listener_open(const struct sockaddr_storage *address, bool reuse_port, struct error *err);
uint16_t listener_port(int fd);
