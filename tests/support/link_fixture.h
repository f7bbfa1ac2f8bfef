#pragma once
/* A link to a server in memory, and what its user hears of it. Includes cmocka's assertions, so <cmocka.h> comes first.
 */

#include "protocol/command.h"
#include "redis/link.h"
#include "support/fake_redis.h"

struct fixture {
    struct fake_redis redis;
    struct link *link;
    uint64_t now_ms;
    int readies, downs, replies, refused;
    enum redis_error_class error;
    char command[32], words[256];
    uint32_t last_index;
    char policy[32];
};

void on_reply(void *ctx, const struct reply *reply, uint32_t index);
uint64_t no_chance(void *ctx);
struct credentials fixed_credentials(const char *password);
/* The fake's own transport is `fake_ops`. */
void link_fixture_init_with(struct fixture *f, const struct transport_ops *ops, struct credentials credentials);
void link_fixture_init(struct fixture *f, const char *password);
void link_fixture_fini(struct fixture *f);
void run_ms(struct fixture *f, uint64_t ms);
void ask(struct fixture *f, const char *command, uint32_t count);
/* The server says this, asked or not. */
void say(struct fixture *f, const char *bytes);
