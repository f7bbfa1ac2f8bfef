#pragma once
/* Where Redis is, and what it takes to be let in.
 *
 * Thread: written by main before the first connection, then read only. */

#include "redis/credentials.h"
#include "redis/tls_files.h"
#include "redis/url.h"

struct redis_access {
    struct redis_url url;
    struct credentials credentials; /* all zero without AUTH */
    struct tls_config tls;          /* used when the URL says rediss:// */
};
