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

#define LISTENER_DEFER_MS 1500 /* one second, and time for the answer to SYN-ACK */

/* Returns the descriptor, or -errno with a sentence when the address is not ours, not permitted or in use. Waits up to
 * HANDOVER_MS (listener.c) for a port in use, because the process before may be about to give it back. */
int listener_open(const struct sockaddr_storage *address, bool reuse_port, struct error *err);
uint16_t listener_port(int fd);
/* With `on` the kernel keeps a connection to itself until its first bytes come, or until SYN-ACK was sent a second time
 * after about a second (TCP_DEFER_ACCEPT, tcp(7)). With false it gives out the next ones at once, and those it keeps
 * within LISTENER_DEFER_MS. */
void listener_defer(int fd, bool on);
/* Has the kernel end each connection that is accepted from now on when its peer has acknowledged nothing, or taken
 * nothing, of what it was sent for `ms`. What lies in the kernel's buffers is sent for io/, so only the kernel can tell
 * (TCP_USER_TIMEOUT, tcp(7)). */
void listener_give_up_after(int fd, uint32_t ms);
