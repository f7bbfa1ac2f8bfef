#pragma once
/* The flusher without its thread: everything between the shards and the store, moved by core_tick() alone.
 * A simulator drives it with its own env; flusher.c adds the thread, poll(2) and the queues of the workers.
 *
 * Thread: the flusher's. Books and statistics are read by any thread (books_read(), ledger/stats.h).
 * Happy path: every flush interval (±10 %, the first after any part of one) the touched keys are collected; the
 * partitions send them in batches, one after the other, until none is dirty; totals are published from the replies.
 * Without a store (embedded mode) the process is the store: what is counted is stored at the next flush. */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/books.h"
#include "ledger/env.h"
#include "ledger/flush_options.h"
#include "ledger/question.h"
#include "nodes/store.h"
#include "tally/tally.h"

struct core_config {
    const struct flush_options *options; /* all pointers are the caller's, and outlive the core */
    const struct env *env;
    struct tally *tally;
    struct books *books;
    struct flusher_stats *stats;
    struct asker asker;
    void (*wake)(void *ctx, uint32_t worker); /* to call tally_answer(); NULL: then nothing is forgotten */
    void *wake_ctx;
};

struct core;

int core_create(struct core **out, const struct core_config *config); /* 0 or -ENOMEM */
void core_destroy(struct core *c);
void core_tick(struct core *c);
/* A new connection, with what the credentials are by then. */
void core_reconnect(struct core *c);
/* Collect now, and from here on every few milliseconds: whoever waits until it is stored is not to wait for long. */
void core_hurry(struct core *c);
/* Collect now and do not wait for the interval any more. The workers have ended. */
void core_drain(struct core *c);
/* Nothing is dirty, nothing in flight; keys that the store refuses do not count. */
bool core_is_idle(const struct core *c);
bool core_has_room(const struct core *c);
void core_ask(struct core *c, struct question *question); /* only with room */
void core_fail_questions(struct core *c);                 /* answer all that wait with ANSWER_FAILED */
uint32_t core_poll(const struct core *c, struct pollfd out[STORE_POLLS_MAX]); /* how many */
uint64_t core_wake_us(const struct core *c); /* when to tick at the latest, env's clock */
