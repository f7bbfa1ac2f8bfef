#pragma once
/* The question of `tallyd --healthcheck`, which a container asks, so that its image needs no HTTP client.
 *
 * Thread: main. */

#include <sys/socket.h>

/* Gets /livez from the admin address within 2 s. An unspecified address is asked by loopback. Returns 0 when the answer
 * is 200, else 1. */
int healthcheck(const struct sockaddr_storage *admin);
