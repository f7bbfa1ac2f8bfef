#include "flush/stored_waits.h"

void stored_waits_push(struct stored_waits *w, struct question *question)
{
    question->next = w->first;
    w->first = question;
}

void stored_waits_settle(struct stored_waits *w, uint64_t now_ms)
{
    for (struct question **at = &w->first, *question; (question = *at);) {
        const struct tally_mark *mark = &question->mark;
        question->done = keys_have_stored(w->keys, mark->worker, mark->cell, mark->count);
        if (!question->done && now_ms < question->deadline_ms) {
            at = &question->next;
            continue;
        }
        *at = question->next; /* once answered it is the worker's */
        asker_answer(&w->asker, question);
    }
}

void stored_waits_hasten(const struct stored_waits *w)
{
    for (const struct question *question = w->first; question; question = question->next)
        keys_wake_cell(w->keys, question->mark.worker, question->mark.cell);
}

uint64_t stored_waits_wake_ms(const struct stored_waits *w)
{
    uint64_t wake = UINT64_MAX;

    for (const struct question *question = w->first; question; question = question->next)
        wake = question->deadline_ms < wake ? question->deadline_ms : wake;
    return wake;
}
