#include "flush/top_asks.h"

#include <stdlib.h>
#include <string.h>

static struct slice result_name(const struct answer *r) { return (struct slice){r->name, r->name_bytes}; }

static void result_set(struct answer *r, struct slice name)
{
    memcpy(r->name, name.at, name.bytes);
    r->name_bytes = (uint16_t)name.bytes;
    r->state = ANSWER_OPEN;
}

/* ---- without a store ---- */

struct candidate {
    int64_t value;
    uint32_t key;
};

static int64_t counted(const struct keys *keys, uint32_t key)
{
    uint64_t sum = 0;

    for (key_cell c = keys_first_cell(keys, key); c; c = keys_next_cell(keys, c))
        sum += keys_count(keys, c);
    return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

/* Of equal ones the name decides, as it does in the answer. */
static bool is_higher(const struct keys *keys, struct candidate a, struct candidate b)
{
    return a.value > b.value ||
           (a.value == b.value && slice_compare(keys_name(keys, a.key), keys_name(keys, b.key)) < 0);
}

/* Keeps the list sorted, the highest first. Returns how many there are then. */
static uint32_t insert(const struct keys *keys, struct candidate *list, uint32_t count, uint32_t limit,
                       struct candidate one)
{
    uint32_t at = count < limit ? count++ : count - 1;

    for (; at > 0 && is_higher(keys, one, list[at - 1]); at--)
        list[at] = list[at - 1];
    list[at] = one;
    return count;
}

static void answer_from_memory(struct keys *keys, struct question *question)
{
    struct candidate list[TOPS_SHOWN_MAX];
    uint32_t count = 0, limit = question->limit < TOPS_SHOWN_MAX ? question->limit : TOPS_SHOWN_MAX;

    keys_collect(keys); /* so that every hit that was answered before is known */
    uint16_t ns = sums_find(keys_sums(keys), result_name(&question->results[0]));
    for (uint32_t key = 0; ns != SUM_NONE && key < keys_end(keys); key++) {
        const struct candidate one = {keys_sum(keys, key) == ns ? counted(keys, key) : 0, key};
        if (one.value > 0 && (count < limit || is_higher(keys, one, list[count - 1])))
            count = insert(keys, list, count, limit, one);
    }
    question->count = count;
    for (uint32_t i = 0; i < count; i++) {
        result_set(&question->results[i], keys_name(keys, list[i].key));
        question->results[i].state = ANSWER_FOUND;
        question->results[i].stored = list[i].value;
    }
    question->done = true;
}

/* ---- with a store ---- */

bool top_asks_begin(const struct top_asks *t, struct question *question)
{
    char ns[NAME_NS_BYTES_MAX];
    size_t bytes = question->results[0].name_bytes;

    if (!t->reads) {
        answer_from_memory(t->keys, question);
        return false;
    }
    memcpy(ns, question->results[0].name, bytes);
    for (uint32_t p = 0; p < question->count; p++) {
        struct answer *r = &question->results[p];
        r->name_bytes = (uint16_t)name_of_top(p, (struct slice){ns, bytes}, r->name).bytes;
        r->state = ANSWER_OPEN;
    }
    return true;
}

static bool all_answered(const struct question *question)
{
    bool all = true;

    for (uint32_t i = 0; i < question->count; i++)
        all &= question->results[i].state == ANSWER_FOUND || question->results[i].state == ANSWER_MISSING;
    return all;
}

static int by_value(const void *a, const void *b)
{
    const struct scan_name *x = a, *y = b;

    return (x->value < y->value) - (x->value > y->value);
}

static void choose(struct question *question)
{
    struct scan *sets = question->scan;
    uint32_t wanted = question->limit + TOPS_KEPT - TOPS_SHOWN_MAX;

    qsort(sets->names, sets->count, sizeof(sets->names[0]), by_value);
    question->count = sets->count < wanted ? sets->count : wanted;
    for (uint32_t i = 0; i < question->count; i++)
        result_set(&question->results[i], scan_name_at(sets, i));
}

bool top_asks_end(const struct top_asks *t, struct question *question)
{
    if (question->done || !all_answered(question) || question->scan->state != SCAN_DONE || question->scan->count == 0) {
        question->done |= all_answered(question) && question->scan->state == SCAN_DONE;
        question->count = question->scan->count == 0 ? 0 : question->count;
        return true;
    }
    if (!read_queue_has_room(t->reads))
        return true;
    choose(question);
    question->done = true;
    read_queue_push(t->reads, question);
    return false;
}
