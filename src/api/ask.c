#include "api/ask.h"

#include <stdlib.h>
#include <string.h>

#include "sync/atomic.h"

struct ask {
    struct api_worker *aw;
    struct ticket ticket;
    struct read_op *op; /* the flusher's until `answered` */
    uint32_t note;      /* the route's */
    uint32_t *flag;     /* cleared when nobody waits any more; NULL: none */
    bool answered;      /* op came back */
    bool forgotten;     /* nobody waits: free it when op comes back */
};

static void ask_free(struct ask *a)
{
    scan_destroy(a->op->scan);
    free(a->op);
    free(a);
}

struct read_op *ask_op(const struct api_worker *aw, const struct reply *reply, uint32_t count, uint32_t deadline_ms)
{
    struct read_op *op = calloc(1, sizeof(*op) + count * sizeof(op->results[0]));
    if (op)
        *op = (struct read_op){.worker = aw->index, .count = count, .deadline_ms = reply->now_ms + deadline_ms};
    return op;
}

bool ask_begin(struct api_worker *aw, struct reply *reply, struct read_op *op, uint32_t wait_ms)
{
    struct ask *a = op ? calloc(1, sizeof(*a)) : NULL;
    if (!a) {
        if (op)
            scan_destroy(op->scan);
        free(op);
        return false;
    }
    *a = (struct ask){.aw = aw, .ticket = reply->ticket, .op = op};
    op->owner = a;
    if (!mailbox_ask(aw->api->config.mailbox, op)) {
        ask_free(a);
        return false;
    }
    reply->waiting = a;
    reply->wait_ms = wait_ms;
    return true;
}

bool ask_quietly(struct api_worker *aw, struct read_op *op)
{
    struct reply nobody = {0};
    bool asked = ask_begin(aw, &nobody, op, 0);
    ask_end(&nobody);
    return asked;
}

bool ask_again(struct api_worker *aw, struct reply *reply, enum ask_kind kind, struct slice name, uint32_t deadline_ms,
               uint32_t wait_ms)
{
    struct ask *a = reply->waiting;
    struct read_op *op = a->op;
    op->kind = kind;
    op->count = 1;
    op->deadline_ms = reply->now_ms + deadline_ms;
    op->results[0].name_bytes = (uint16_t)name.bytes;
    memcpy(op->results[0].name, name.at, name.bytes);
    if (!mailbox_ask(aw->api->config.mailbox, op))
        return false;
    a->answered = false;
    reply->wait_ms = wait_ms;
    return true;
}

const struct read_op *ask_answer(const struct reply *reply)
{
    const struct ask *a = reply->waiting;
    return a && a->answered ? a->op : NULL;
}

void ask_note(struct reply *reply, uint32_t note)
{
    struct ask *a = reply->waiting;
    a->note = note;
}

uint32_t ask_note_read(const struct reply *reply)
{
    const struct ask *a = reply->waiting;
    return a->note;
}

void ask_hold(struct reply *reply, uint32_t *flag)
{
    struct ask *a = reply->waiting;
    a->flag = flag;
}

void ask_forget(void *waiting)
{
    struct ask *a = waiting;
    if (a->flag)
        store_release_u32(a->flag, 0); /* partner: the cas_u32() of whoever sets it */
    if (a->answered)
        ask_free(a);
    else
        a->forgotten = true;
}

void ask_end(struct reply *reply)
{
    if (reply->waiting)
        ask_forget(reply->waiting);
    reply->waiting = NULL;
}

void ask_answers(struct api_worker *aw)
{
    struct read_op *op;
    while (mailbox_answer(aw->api->config.mailbox, aw->index, &op)) {
        struct ask *a = op->owner;
        a->answered = true;
        if (a->forgotten)
            ask_free(a);
        else
            worker_resume(aw->worker, a->ticket);
    }
}
