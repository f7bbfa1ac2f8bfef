#include "owed/writes.h"

static struct slice question_name(const struct question *question)
{
    return (struct slice){question->results[0].name, question->results[0].name_bytes};
}

static void answer(struct writes *w, struct question *question, enum answer_state state)
{
    question->results[0].state = state;
    asker_answer(&w->asker, question);
}

void writes_push(struct writes *w, struct question *question)
{
    struct question **at = &w->first[keyspace_partition(w->space, question_name(question))];

    while (*at)
        at = &(*at)->next;
    question->next = NULL;
    *at = question;
}

bool writes_wait(const struct writes *w, uint32_t partition) { return w->first[partition] && !w->paused; }

void writes_pause(struct writes *w, bool paused) { w->paused = paused; }

bool writes_keep_keys(const struct writes *w) { return w->keys_kept > 0; }

void writes_take(struct writes *w, struct batch *b, struct keys *keys, uint32_t partition)
{
    struct question *question = w->first[partition];
    uint32_t key = keys_find(keys, question_name(question));

    w->first[partition] = question->next;
    if (key != KEY_NONE && !batch_take_key(b, keys, key)) {
        answer(w, question, ANSWER_FAILED); /* no memory: what is not in front of the write would come back after it */
        return;
    }
    w->sent[partition] = b;
    w->keys_kept += key != KEY_NONE;
    b->overwrites = true;
    b->write = (struct batch_write){
        .there = true,
        .set = question->kind == ASK_SET,
        .value = question->kind == ASK_SET ? question->results[0].stored : 0,
        .key = key,
        .question = question,
    };
}

void writes_ended(struct writes *w, const struct batch *b, enum answer_state state)
{
    w->keys_kept -= b->write.key != KEY_NONE;
    for (uint32_t i = 0; i < w->space->partitions; i++) {
        if (w->sent[i] != b)
            continue;
        w->sent[i] = NULL;
        answer(w, b->write.question, state);
    }
}

/* Queued in one partition. */
static void expire_queued(struct writes *w, struct question **at, uint64_t now_ms)
{
    for (struct question *question; (question = *at);) {
        if (now_ms < question->deadline_ms) {
            at = &question->next;
            continue;
        }
        *at = question->next; /* once answered it is the worker's */
        answer(w, question, ANSWER_FAILED);
    }
}

void writes_expire(struct writes *w, uint64_t now_ms)
{
    for (uint32_t i = 0; i < w->space->partitions; i++) {
        struct batch *sent = w->sent[i];
        expire_queued(w, &w->first[i], now_ms);
        if (sent && now_ms >= sent->write.question->deadline_ms) {
            w->sent[i] = NULL;
            answer(w, sent->write.question, ANSWER_IN_DOUBT);
        }
    }
}

static uint64_t earlier(uint64_t wake, const struct question *question)
{
    return question && question->deadline_ms < wake ? question->deadline_ms : wake;
}

uint64_t writes_wake_ms(const struct writes *w)
{
    uint64_t wake = UINT64_MAX;

    for (uint32_t i = 0; i < w->space->partitions; i++) {
        wake = earlier(wake, w->sent[i] ? w->sent[i]->write.question : NULL);
        for (const struct question *question = w->first[i]; question; question = question->next)
            wake = earlier(wake, question);
    }
    return wake;
}
