#pragma once
/* redis[s]://[user@]host:port[/db] (DESIGN 7). A password in the URL is refused, because secrets come from a file or
 * the environment, never from argv. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct redis_url {
    bool tls;
    char user[129];
    char host[256]; /* name, IPv4, or IPv6 without brackets. Empty when there is none */
    uint16_t port;  /* 6379 when not given */
    uint32_t db;
};

int redis_url_parse(const char *text, struct redis_url *out, struct error *err); /* 0 or -EINVAL */
