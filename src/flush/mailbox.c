#include "flush/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sync/atomic.h"
#include "sync/spsc.h"

struct box {
    struct spsc *asks;    /* owned; worker to flusher */
    struct spsc *answers; /* owned; flusher to worker */
    uint32_t under_way;   /* the worker's: asked and not yet back, so neither queue can overflow */
    bool answered __attribute__((aligned(64))); /* the flusher's: the worker was not told of an answer yet */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct box) == 128, "two threads never write to one cache line");

struct mailbox {
    struct mailbox_config config; /* set at creation, then read only */
    int wake_fd;
    struct box boxes[];
};

/* ---- workers ---- */

bool mailbox_ask(struct mailbox *m, struct question *question)
{
    struct box *box = &m->boxes[question->worker];

    if (box->under_way == MAILBOX_UNDER_WAY_MAX || !spsc_push(box->asks, question))
        return false;
    box->under_way++;
    mailbox_wake_flusher(m);
    return true;
}

bool mailbox_answer(struct mailbox *m, uint32_t worker, struct question **question)
{
    struct box *box = &m->boxes[worker];
    void *item;

    if (!spsc_pop(box->answers, &item))
        return false;
    box->under_way--;
    *question = item;
    return true;
}

/* ---- any thread ---- */

/* Relaxed: it is a hint, as the store may be lost right after. */
bool mailbox_is_connected(const struct mailbox *m) { return load_relaxed_u8((const uint8_t *)m->config.connected); }

void mailbox_wake_flusher(struct mailbox *m)
{
    uint64_t one = 1;

    (void)!write(m->wake_fd, &one, sizeof(one));
}

/* ---- the flusher ---- */

bool mailbox_take(struct mailbox *m, uint32_t worker, struct question **question)
{
    void *item;

    if (!spsc_pop(m->boxes[worker].asks, &item))
        return false;
    *question = item;
    return true;
}

void mailbox_return(struct mailbox *m, struct question *question)
{
    struct box *box = &m->boxes[question->worker];

    box->answered = true;
    bool pushed = spsc_push(box->answers, question);
    assert(pushed); /* mailbox_ask() lets no more under way than fit */
}

void mailbox_wake_workers(struct mailbox *m)
{
    for (uint32_t i = 0; i < m->config.workers; i++) {
        if (!m->boxes[i].answered)
            continue;
        m->boxes[i].answered = false;
        m->config.wake_worker(m->config.wake_ctx, i);
    }
}

int mailbox_fd(const struct mailbox *m) { return m->wake_fd; }

void mailbox_woken(struct mailbox *m)
{
    uint64_t ignored;

    (void)!read(m->wake_fd, &ignored, sizeof(ignored));
}

/* ---- life ---- */

static int mailbox_create_boxes(struct mailbox *m, struct error *err)
{
    for (uint32_t i = 0; i < m->config.workers; i++) {
        if (spsc_create(&m->boxes[i].asks, MAILBOX_UNDER_WAY_MAX + 1) ||
            spsc_create(&m->boxes[i].answers, MAILBOX_UNDER_WAY_MAX + 1))
            return error_set(err, -ENOMEM, "no memory for the flusher's queues");
    }
    return 0;
}

int mailbox_create(struct mailbox **out, const struct mailbox_config *config, struct error *err)
{
    size_t bytes = sizeof(struct mailbox) + config->workers * sizeof(struct box);
    struct mailbox *m = aligned_alloc(64, (bytes + 63) / 64 * 64);

    if (!m)
        return error_set(err, -ENOMEM, "no memory for the flusher");
    memset(m, 0, bytes);
    m->config = *config;
    m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int failed = m->wake_fd < 0 ? error_set(err, -errno, "no eventfd for the flusher: raise the limit of open files")
                                : mailbox_create_boxes(m, err);
    if (failed) {
        mailbox_destroy(m);
        return failed;
    }
    *out = m;
    return 0;
}

void mailbox_destroy(struct mailbox *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->config.workers; i++) {
        spsc_destroy(m->boxes[i].answers);
        spsc_destroy(m->boxes[i].asks);
    }
    if (m->wake_fd >= 0)
        close(m->wake_fd);
    free(m);
}
