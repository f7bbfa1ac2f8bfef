#include "request/ask.h"

#include <stdlib.h>
#include <string.h>

#include "flush/mailbox.h"
#include "net/worker.h"
#include "sync/atomic.h"

struct ask {
    struct api_worker *aw;
    struct ticket ticket;
    ask_resume_fn *resume;
    struct question *question; /* the flusher's until `answered`, or NULL when the flusher is not asked */
    uint32_t note;             /* the route's */
    uint32_t *flag;            /* cleared when nobody waits any more; NULL: none */
    bool answered;             /* question came back */
    bool forgotten;            /* nobody waits: free it when question comes back */
};

static void ask_free(struct ask *a)
{
    if (a->question)
        scan_destroy(a->question->scan);
    free(a->question);
    free(a);
}

struct question *ask_question(const struct api_worker *aw, const struct reply *reply, uint32_t count,
                              uint32_t deadline_ms)
{
    struct question *question = calloc(1, sizeof(*question) + count * sizeof(question->results[0]));
    if (question)
        *question = (struct question){.worker = aw->index, .count = count, .deadline_ms = reply->now_ms + deadline_ms};
    return question;
}

bool ask_begin(struct api_worker *aw, struct reply *reply, struct question *question, uint32_t wait_ms,
               ask_resume_fn *resume)
{
    struct ask *a = question ? calloc(1, sizeof(*a)) : NULL;
    if (!a) {
        if (question)
            scan_destroy(question->scan);
        free(question);
        return false;
    }
    *a = (struct ask){.aw = aw, .ticket = reply->ticket, .question = question, .resume = resume};
    question->owner = a;
    if (!mailbox_ask(aw->api->config.mailbox, question)) {
        ask_free(a);
        return false;
    }
    reply->waiting = a;
    reply->wait_ms = wait_ms;
    return true;
}

bool ask_nobody(struct api_worker *aw, struct reply *reply, uint32_t wait_ms, ask_resume_fn *resume)
{
    struct ask *a = calloc(1, sizeof(*a));
    if (!a)
        return false;
    *a = (struct ask){.aw = aw, .ticket = reply->ticket, .resume = resume, .answered = true};
    reply->waiting = a;
    reply->wait_ms = wait_ms;
    return true;
}

bool ask_quietly(struct api_worker *aw, struct question *question)
{
    struct reply nobody = {0};
    bool asked = ask_begin(aw, &nobody, question, 0, NULL);
    if (asked)
        ask_forget(nobody.waiting);
    return asked;
}

bool ask_again(struct api_worker *aw, struct reply *reply, enum question_kind kind, struct slice name,
               uint32_t deadline_ms, uint32_t wait_ms)
{
    struct ask *a = reply->waiting;
    struct question *question = a->question;
    question->kind = kind;
    question->count = 1;
    question->deadline_ms = reply->now_ms + deadline_ms;
    question->results[0].name_bytes = (uint16_t)name.bytes;
    memcpy(question->results[0].name, name.at, name.bytes);
    if (!mailbox_ask(aw->api->config.mailbox, question))
        return false;
    a->answered = false;
    reply->wait_ms = wait_ms;
    return true;
}

const struct question *ask_answer(const struct reply *reply)
{
    const struct ask *a = reply->waiting;
    return a && a->answered ? a->question : NULL;
}

uint32_t ask_names(const struct reply *reply)
{
    const struct ask *a = reply->waiting;
    return a->question->count;
}

/* The flusher writes none of it while it has the question. */
struct slice ask_name(const struct reply *reply, uint32_t i)
{
    const struct ask *a = reply->waiting;
    const struct answer *named = &a->question->results[i];
    return (struct slice){named->name, named->name_bytes};
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

enum handler_result ask_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    struct ask *a = reply->waiting;
    enum handler_result result = a->resume(aw, r, reply);
    if (result == WAITING)
        return result;
    ask_forget(a);
    if (reply->waiting == a) /* a stream leaves its own there */
        reply->waiting = NULL;
    return result;
}

void ask_answers(struct api_worker *aw)
{
    struct question *question;
    while (mailbox_answer(aw->api->config.mailbox, aw->index, &question)) {
        struct ask *a = question->owner;
        a->answered = true;
        if (a->forgotten)
            ask_free(a);
        else
            worker_resume(aw->worker, a->ticket);
    }
}
