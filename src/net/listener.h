#pragma once
/* A listening TCP socket: non-blocking, SO_REUSEPORT where each worker has its own (socket(7)), TCP_NODELAY
 * handed down to what it accepts (tcp(7)). */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* The descriptor, or -errno with a sentence (address not ours, not permitted, in use). Blocks up to a second for a port
 * in use, because the process before us may be about to give it back. */
int listener_open(const struct sockaddr_storage *address, bool reuse_port, struct error *err);
uint16_t listener_port(int fd);
