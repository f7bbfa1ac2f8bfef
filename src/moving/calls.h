#pragma once
/* Connections to the nodes of a store, for one who asks and waits.
 *
 * Thread: the caller's. Every call blocks until all replies are there, or one says that they will not be.
 * Happy path: calls_map() learns who owns which slot. calls_ask() connects to a node when it has to, sends commands,
 * and hands over one reply after the other.
 *
 * Failure modes: each is a sentence, and an errno that says what to do.
 *   - -EAGAIN: a connection ended, or the server refuses for now. Ask for a map, and try again. The connection is gone,
 *     and whether it was executed is not known.
 *   - -EPERM: the server does not let this user, or is no such store. It is no use to try again. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "ledger/flush_options.h"

#define CALLS_NOBODY UINT32_MAX

struct calls;
struct reply; /* redis/resp.h */

/* `index` counts the replies, from 0. */
typedef void (*calls_reply_fn)(void *ctx, const struct reply *reply, uint32_t index);

/* The options are the caller's and outlive it. Returns 0, or -errno with a sentence. */
int calls_create(struct calls **out, const struct flush_options *options, struct error *err);
void calls_destroy(struct calls *c); /* NULL is allowed */
/* Learns who owns which slot. A node keeps its number for good. */
int calls_map(struct calls *c, struct error *err);
/* Returns the number of the node that owns the slot, or CALLS_NOBODY. */
uint32_t calls_owner(const struct calls *c, uint16_t slot);
uint32_t calls_nodes(const struct calls *c); /* they are 0 … one less */
/* Sends `commands`, and gives each of the `replies` to `fn`, but those that end it. WRONGTYPE does not. */
int calls_ask(struct calls *c, uint32_t node, const struct buf *commands, uint32_t replies, calls_reply_fn fn,
              void *ctx, struct error *err);
