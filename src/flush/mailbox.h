#pragma once
/* Where workers leave questions for the flusher and find its answers (owed/question.h).
 *
 * Thread: each function says whose it is. Worker i uses box i, and no lock is taken.
 * Every question comes back. When the flusher ends it comes back as failed. A worker has at most MAILBOX_UNDER_WAY_MAX
 * questions under way, so that no queue can overflow and an answer always has room.
 *
 * Failure modes: a worker that has too many under way is told so, and keeps its question. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "owed/question.h"
#include "owed/scan.h"

#define MAILBOX_UNDER_WAY_MAX 1023

struct mailbox;

struct mailbox_config {
    uint32_t workers;
    const bool *connected; /* is every partition of the store reached? Written by the flusher, outlives the mailbox */
    void (*wake_worker)(void *ctx, uint32_t worker);
    void *wake_ctx;
};

int mailbox_create(struct mailbox **out, const struct mailbox_config *config, struct error *err); /* 0 or -errno */
void mailbox_destroy(struct mailbox *m);

/* ---- worker `question->worker` ---- */
/* Returns false when too many are under way. The question is still the caller's then. */
bool mailbox_ask(struct mailbox *m, struct question *question);
/* Returns false when there is no answer. */
bool mailbox_answer(struct mailbox *m, uint32_t worker, struct question **question);

/* ---- any thread ---- */
/* Would a question reach the store now? */
bool mailbox_is_connected(const struct mailbox *m);
void mailbox_wake_flusher(struct mailbox *m);

/* ---- the flusher ---- */
/* The next question of a worker, in the order in which that worker asked. Returns false when there is none. */
bool mailbox_take(struct mailbox *m, uint32_t worker, struct question **question);
/* Once returned, the question is its worker's, which may free it. The worker hears of it by mailbox_wake_workers(). */
void mailbox_return(struct mailbox *m, struct question *question);
void mailbox_wake_workers(struct mailbox *m);
/* The flusher's descriptor to poll. It is readable after mailbox_wake_flusher(), until mailbox_woken(). */
int mailbox_fd(const struct mailbox *m);
void mailbox_woken(struct mailbox *m);
