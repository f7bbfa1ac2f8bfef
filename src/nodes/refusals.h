#pragma once
/* Says in the log that the store refuses, why, and what to do about it.
 *
 * Thread: the flusher's.
 * store_refuses is logged when a refusal begins and every 30 s while it lasts, store_accepts when it is over. There is
 * one line for each kind of refusal, however many partitions and nodes it holds up. What belongs to a cluster at work,
 * such as a slot that moves, is said only when it lasts.
 *
 * Each partition, each node and the topology is refused for one reason at a time. It raises that with what the server
 * said, and ends it when the server has done what it refused. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/flush_options.h"
#include "ledger/refusal.h"
#include "owed/env.h"
#include "owed/keys.h"
#include "redis/error.h"
#include "redis/link.h"
#include "redis/slots.h"

struct refusals_kind {
    uint32_t holders;
    bool said;
    uint64_t since_ms, logged_ms, ended_ms;
    char command[32], words[WORDS_BYTES], host[NODE_HOST_BYTES_MAX]; /* of the last that was raised */
    uint16_t port;
};

struct refusals {
    const struct env *env;
    const struct keys *keys;
    const struct flush_options *options;
    struct refusals_kind kinds[REDIS_ERROR_COUNT];
};

/* `r` may be NULL, when nobody listens. */
void refusals_raise(struct refusals *r, struct refused *who, const struct redis_refusal *what, const char *host,
                    uint16_t port);
/* Tells what was noted (refused_note()), with the server's words if the link says that they may be repeated. */
void refusals_complain(struct refusals *r, struct refused *who, enum redis_error_class why, const struct link *link);
/* Was a command on its own refused? What concerns one key only is not logged, because who asked is told. */
bool refusals_of(struct refusals *r, struct refused *who, const char *command, const struct reply *reply,
                 const struct link *link);
void refusals_end(struct refusals *r, struct refused *who);
void refusals_tick(struct refusals *r);
