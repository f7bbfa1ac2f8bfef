#pragma once
/* The flusher is one thread. It turns touched cells into fenced transactions (DESIGN 4) and publishes totals.
 *
 * Thread: created, started, drained and destroyed by main. Workers ask through its mailbox (flush/mailbox.h). Any
 * thread reads its statistics. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "flush/mailbox.h"
#include "ledger/flush_options.h"
#include "owed/stats.h"
#include "tally/tally.h"

struct flusher;

struct flusher_config {
    const struct flush_options *options; /* outlives the flusher */
    /* Called after answers were pushed, or so that a worker calls tally_answer(). Those who ask are the tally's workers
     * and, as the one behind the last, the admin's. */
    void (*wake_worker)(void *ctx, uint32_t worker);
    void *wake_ctx;
};

int flusher_create(struct flusher **out, const struct flusher_config *config, struct tally *tally, struct error *err);
/* Connects anew, with what the credentials are now (SIGHUP). Any time after the start. */
void flusher_reconnect(struct flusher *f);
int flusher_start(struct flusher *f, struct error *err);
/* Waits until it is known into how many partitions the data set of a cluster is cut. Returns -EINVAL when that is not
 * as configured. Returns 0 also at the deadline. Nothing is stored before it is known, and a difference is an alarm
 * then. */
int flusher_await_cut(const struct flusher *f, uint64_t deadline_ms, struct error *err);
/* The workers are about to end. Flushes often from here on, because requests wait until their hit is stored
 * (ack=stored). */
void flusher_hurry(struct flusher *f);
/* Flushes everything, and ends the thread at the deadline at the latest (monotonic). Only after the workers have ended.
 * Does not wait. A second call moves the deadline. */
void flusher_drain_begin(struct flusher *f, uint64_t deadline_ms);
/* Has the thread ended, so that flusher_drain() does not wait? */
bool flusher_drain_ended(const struct flusher *f);
/* Likewise, and waits for the end. Returns 0 when nothing is left, -ETIMEDOUT at the deadline, or -EKEYREJECTED when
 * all is stored but what the books call poisoned. */
int flusher_drain(struct flusher *f, uint64_t deadline_ms);
void flusher_destroy(struct flusher *f);

/* ---- any thread ---- */
void flusher_books(const struct flusher *f, struct flusher_books *out);
const struct flusher_stats *flusher_stats(const struct flusher *f);
/* Where workers ask. It lives as long as the flusher. */
struct mailbox *flusher_mailbox(const struct flusher *f);
