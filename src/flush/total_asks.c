#include "flush/total_asks.h"
#include "tally/answers.h"

#include <assert.h>
#include <string.h>

#define LOOK_PARTS 10
#define LOOK_PAUSE_MAX_US 100000 /* a look that was interrupted for long is not charged for all of it */

static uint64_t now_us(const struct total_asks *t) { return env_now_us(t->env); }

static struct slice result_name(const struct answer *r) { return (struct slice){r->name, r->name_bytes}; }

static bool is_fresh(const struct sum *s, const struct question *question)
{
    return s && s->as_of_ms && s->as_of_ms >= question->since_ms;
}

/* NULL: this process has counted nothing in that namespace. */
static struct sum *sum_of(const struct total_asks *t, const struct answer *r)
{
    const struct sums *sums = keys_sums(t->keys);
    uint32_t partition;
    struct slice ns;

    if (!name_total_read(result_name(r), &partition, &ns))
        return NULL;
    uint16_t number = sums_find(sums, ns);
    return number == SUM_NONE ? NULL : sums_at(sums, number, partition);
}

bool total_asks_begin(const struct total_asks *t, struct question *question)
{
    char ns[NAME_NS_BYTES_MAX];
    uint32_t bytes = question->results[0].name_bytes;
    bool fresh = true;

    assert(question->count == sums_partitions(keys_sums(t->keys)) && bytes <= sizeof(ns));
    memcpy(ns, question->results[0].name, bytes);
    for (uint32_t p = 0; p < question->count; p++) {
        struct answer *r = &question->results[p];
        r->name_bytes = (uint16_t)name_of_total(p, (struct slice){ns, bytes}, r->name).bytes;
        r->state = ANSWER_OPEN;
        fresh = fresh && is_fresh(sum_of(t, r), question);
    }
    return !fresh && !t->embedded && !sums_is_late(keys_sums(t->keys), (struct slice){ns, bytes});
}

static void look(struct total_asks *t)
{
    t->looked_us = now_us(t);
    keys_look(t->keys);
    t->took_us = now_us(t) - t->looked_us;
}

/* Of one partition. Returns false when it is not known. */
static bool add_stored(const struct total_asks *t, const struct answer *r, struct read_total *out)
{
    const struct sum *s = sum_of(t, r);
    bool answered = r->state == ANSWER_FOUND || r->state == ANSWER_MISSING, known = s && s->as_of_ms;
    uint64_t as_of_ms = known ? s->as_of_ms : now_us(t) / 1000;

    if (known)
        out->value += s->known - s->stored_then;
    else if (answered)
        out->value += r->stored - (s ? s->stored : 0);
    else if (!t->embedded)
        return false;
    out->found |= known || r->state == ANSWER_FOUND;
    out->as_of_ms = as_of_ms < out->as_of_ms ? as_of_ms : out->as_of_ms;
    return true;
}

static void add_ours(const struct sum_namespace *n, struct read_total *out)
{
    out->refused = n->rests;
    out->pending = n->pending;
    out->value += n->looked + (int64_t)n->pending;
    out->found |= n->looked != 0 || n->pending != 0;
}

/* Other processes may have a total of it, but what this one counts is missing there. */
static struct read_total no_total(uint64_t now_ms)
{
    return (struct read_total){.value = TOTAL_NONE, .known = true, .as_of_ms = now_ms};
}

/* The numbers in the store as of when they were seen, less what of them is ours, and all of ours as of one look. */
static void sum_up(const struct total_asks *t, struct question *question)
{
    const struct sums *sums = keys_sums(t->keys);
    uint32_t partition;
    struct slice ns = {0};

    question->total = (struct read_total){.known = true, .as_of_ms = UINT64_MAX};
    for (uint32_t p = 0; p < question->count; p++)
        question->total.known &= add_stored(t, &question->results[p], &question->total);
    name_total_read(result_name(&question->results[0]), &partition, &ns);
    uint16_t number = sums_find(sums, ns);
    if (number != SUM_NONE)
        add_ours(sums_namespace(sums, number), &question->total);
    else if (sums_is_late(sums, ns))
        question->total = no_total(now_us(t) / 1000);
    if (question->total.known)
        answers_put(t->answers, result_name(&question->results[0]),
                    &(struct stored_answer){question->total.value, question->total.found, now_us(t) / 1000});
}

uint64_t total_asks_wake_us(const struct total_asks *t)
{
    uint64_t pause_us = LOOK_PARTS * t->took_us;

    if (!t->waiting)
        return UINT64_MAX;
    return t->looked_us + (pause_us < LOOK_PAUSE_MAX_US ? pause_us : LOOK_PAUSE_MAX_US);
}

void total_asks_finish(struct total_asks *t)
{
    struct question *waiting = t->waiting;

    t->waiting = NULL;
    if (waiting)
        look(t);
    for (struct question *question; (question = waiting);) {
        waiting = question->next;
        sum_up(t, question);
        asker_answer(&t->asker, question);
    }
}

void total_asks_tick(struct total_asks *t)
{
    if (now_us(t) >= total_asks_wake_us(t))
        total_asks_finish(t);
}

void total_asks_end(struct total_asks *t, struct question *question)
{
    question->next = t->waiting;
    t->waiting = question;
    total_asks_tick(t);
}
