#pragma once
/* tallyd --healthcheck: a container's own question, so that its image needs no HTTP client. */

#include <sys/socket.h>

/* GET /livez on the admin address (an unspecified one is asked by loopback), 2 s at most: 0 when it answers 200,
 * else 1. */
int healthcheck(const struct sockaddr_storage *admin);
