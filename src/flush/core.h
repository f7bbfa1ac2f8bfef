#pragma once
/* The flusher without its thread. core_tick() alone moves everything between the shards and the store. A simulator
 * drives it with its own env. flusher.c adds the thread, poll(2) and the mailbox.
 *
 * Thread: the flusher's. Any thread reads books and statistics (books_read(), owed/stats.h).
 * Happy path: every flush interval, ±10 %, the touched keys are collected. The first one comes after any part of an
 * interval. The partitions send the keys in batches, one after the other, until none is dirty. Their replies are
 * published as totals.
 * With --flush-interval-max a key with few hits is passed over until it has more, or has waited for so long.
 * In embedded mode the process is the store, and what is counted is stored at the next flush. */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/flush_options.h"
#include "nodes/store.h"
#include "owed/books.h"
#include "owed/env.h"
#include "owed/question.h"
#include "tally/tally.h"

struct core_config {
    const struct flush_options *options; /* all pointers are the caller's, and outlive the core */
    const struct env *env;
    struct tally *tally;
    struct books *books;
    struct flusher_stats *stats;
    struct asker asker;
    void (*wake)(void *ctx, uint32_t worker); /* to call tally_answer(). Without it nothing is forgotten */
    void *wake_ctx;
};

struct core;

int core_create(struct core **out, const struct core_config *config); /* 0 or -ENOMEM */
void core_destroy(struct core *c);
void core_tick(struct core *c);
/* Makes a new connection, with what the credentials are by then. */
void core_reconnect(struct core *c);
/* Collects now, and from here on every few milliseconds, so that nobody waits long until a hit is stored. */
void core_hurry(struct core *c);
/* Collects now, and does not wait for the interval any more. Only after the workers have ended. */
void core_drain(struct core *c);
/* Is nothing dirty or in flight? Keys that the store refuses do not count. */
bool core_is_idle(const struct core *c);
/* Called once it is idle. The store need not remember this process, if none comes after it. Returns whether that is
 * done, or cannot be done. */
bool core_try_part(struct core *c);
/* Is there room for one more question? */
bool core_has_room(const struct core *c);
/* Takes a question. Only with room. */
void core_ask(struct core *c, struct question *question);
/* Answers all that wait with ANSWER_FAILED. */
void core_fail_questions(struct core *c);
/* Returns how many descriptors are to be polled. */
uint32_t core_poll(const struct core *c, struct pollfd out[STORE_POLLS_MAX]);
/* When to tick at the latest, by env's clock. */
uint64_t core_wake_us(const struct core *c);
/* What is known of the totals of namespaces. NULL when none are kept. */
struct sums *core_sums(const struct core *c);
struct tops *core_tops(const struct core *c); /* likewise, or NULL */
