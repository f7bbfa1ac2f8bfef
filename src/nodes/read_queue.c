#include "nodes/read_queue.h"

#include "nodes/key_value.h"
#include "nodes/top_set.h"

static struct read_slot *slot_at(struct read_queue *q, uint32_t slot) { return &q->slots[slot - 1]; }

bool read_queue_has_room(const struct read_queue *q) { return READ_QUEUE_SLOTS - q->busy >= QUESTION_NAMES_MAX; }

static uint32_t slot_take(struct read_queue *q)
{
    uint32_t slot = q->free_first;

    q->busy++;
    if (slot)
        q->free_first = slot_at(q, slot)->next;
    else
        slot = ++q->used;
    return slot;
}

static void slot_give_back(struct read_queue *q, uint32_t slot)
{
    slot_at(q, slot)->next = q->free_first;
    q->free_first = slot;
    q->busy--;
}

/* ---- who asks for what ---- */

static struct slice slot_name(const struct read_slot *slot)
{
    const struct answer *r = &slot->question->results[slot->index];

    return (struct slice){r->name, r->name_bytes};
}

/* The slot of a question for that name, queued or under way; 0: there is none. */
static uint32_t bucket_find(struct read_queue *q, uint32_t bucket, struct slice name)
{
    uint32_t at = q->buckets[bucket];

    while (at && (!slot_at(q, at)->question || !slice_equals(slot_name(slot_at(q, at)), name)))
        at = slot_at(q, at)->bucket_next;
    return at;
}

static void bucket_add(struct read_queue *q, uint32_t bucket, uint32_t slot)
{
    slot_at(q, slot)->bucket = bucket;
    slot_at(q, slot)->bucket_next = q->buckets[bucket];
    q->buckets[bucket] = slot;
}

static void bucket_remove(struct read_queue *q, uint32_t slot)
{
    uint32_t *at = &q->buckets[slot_at(q, slot)->bucket];

    while (*at != slot)
        at = &slot_at(q, *at)->bucket_next;
    *at = slot_at(q, slot)->bucket_next;
}

/* Those who joined and have expired leave; where the first has, one who joined takes its place. */
static void slot_drop_expired(struct read_queue *q, uint32_t slot)
{
    struct read_slot *first = slot_at(q, slot);
    uint32_t at = first->joined;

    first->joined = 0;
    for (uint32_t next; at; at = next) {
        struct read_slot *s = slot_at(q, at);
        next = s->next;
        if (s->question && first->question) {
            s->next = first->joined;
            first->joined = at;
            continue;
        }
        if (s->question) {
            first->question = s->question;
            first->index = s->index;
        }
        slot_give_back(q, at);
    }
}

static void lane_append(struct read_queue *q, struct read_lane *lane, uint32_t slot)
{
    slot_at(q, slot)->next = 0;
    if (lane->first)
        slot_at(q, lane->last)->next = slot;
    else
        lane->first = slot;
    lane->last = slot;
    if (!lane->unsent)
        lane->unsent = slot;
}

static void fail_unanswered(struct question *question)
{
    for (uint32_t i = 0; i < question->count; i++) {
        if (question->results[i].state == ANSWER_OPEN)
            question->results[i].state = ANSWER_FAILED;
    }
}

static void question_link(struct read_queue *q, struct question *question)
{
    question->next = NULL;
    if (q->questions_last)
        q->questions_last->next = question;
    else
        q->questions_first = question;
    q->questions_last = question;
}

static void question_unlink(struct read_queue *q, struct question *question, struct question *before)
{
    if (before)
        before->next = question->next;
    else
        q->questions_first = question->next;
    if (q->questions_last == question)
        q->questions_last = before;
}

static void read_queue_push_name(struct read_queue *q, struct question *question, uint32_t index)
{
    const struct slice name = {question->results[index].name, question->results[index].name_bytes};
    uint32_t bucket = (uint32_t)(keys_hash(q->keys, name) % READ_QUEUE_BUCKETS), asked = bucket_find(q, bucket, name);
    uint32_t slot = slot_take(q);

    *slot_at(q, slot) = (struct read_slot){.question = question, .index = index};
    if (asked) {
        slot_at(q, slot)->next = slot_at(q, asked)->joined;
        slot_at(q, asked)->joined = slot;
        q->joins++;
        return;
    }
    bucket_add(q, bucket, slot);
    lane_append(q, &q->lanes[keyspace_partition(q->space, name)], slot);
}

void read_queue_push(struct read_queue *q, struct question *question)
{
    question->unanswered = question->count;
    for (uint32_t i = 0; i < question->count; i++)
        question->results[i].state = ANSWER_OPEN;
    if (question->count == 0 || question->count > QUESTION_NAMES_MAX) {
        fail_unanswered(question);
        asker_answer(&q->asker, question);
        return;
    }
    question_link(q, question);
    for (uint32_t i = 0; i < question->count; i++)
        read_queue_push_name(q, question, i);
}

bool read_queue_waits(const struct read_queue *q, uint32_t lane) { return q->lanes[lane].unsent != 0; }

static bool is_top(const struct answer *result)
{
    uint32_t partition;
    struct slice ns;

    return name_top_read((struct slice){result->name, result->name_bytes}, &partition, &ns);
}

uint32_t read_queue_send(struct read_queue *q, uint32_t lane, struct buf *out)
{
    struct slice prefix = keyspace_prefix(q->space, lane);
    struct read_lane *l = &q->lanes[lane];
    struct buf key = {0};
    uint32_t commands = 0;

    while (l->unsent && commands < READ_QUEUE_SENT_MAX && !out->failed) {
        const struct read_slot *slot = slot_at(q, l->unsent);
        l->unsent = slot->next;
        if (is_top(&slot->question->results[slot->index]))
            top_set_append(out, &key, prefix, slot_name(slot));
        else
            key_value_append(out, &key, prefix, slot_name(slot));
        commands++;
    }
    buf_fini(&key);
    return commands;
}

/* ---- answers ---- */

static void result_take(struct answer *result, const struct reply *reply)
{
    enum key_value held = key_value_read(reply, &result->stored);

    result->state = held == KEY_VALUE_INTEGER ? ANSWER_FOUND : held == KEY_VALUE_NONE ? ANSWER_MISSING : ANSWER_FAILED;
}

static bool publish_total(struct read_queue *q, const struct answer *result, uint64_t now_ms)
{
    struct sums *sums = keys_sums(q->keys);
    uint32_t partition;
    struct slice ns;

    if (!name_total_read((struct slice){result->name, result->name_bytes}, &partition, &ns))
        return false;
    uint16_t number = sums ? sums_find(sums, ns) : SUM_NONE;
    if (number != SUM_NONE)
        sum_publish(sums_at(sums, number, partition), result->stored, now_ms);
    return true;
}

/* Replies on one connection come in the order of their commands, so whoever handles the answer to a GETRANGE has
 * handled the EXEC of every batch before it and of none after it: the total that was read contains exactly the
 * baselines of this moment, and the two may be published as a pair. (The partition asks nothing while the fate of a
 * batch sent on an earlier connection is open.) */
static void result_publish(struct read_queue *q, const struct answer *result, uint64_t now_ms)
{
    if (result->state == ANSWER_FAILED || is_top(result))
        return;
    struct slice name = {result->name, result->name_bytes};
    if (publish_total(q, result, now_ms))
        return;
    uint32_t key = keys_find(q->keys, name);
    if (key != KEY_NONE)
        keys_publish(q->keys, key, result->stored, now_ms);
    else if (q->answers)
        answers_put(q->answers, name, &(struct stored_answer){result->stored, result->state == ANSWER_FOUND, now_ms});
}

static struct question *question_before(const struct read_queue *q, const struct question *question)
{
    struct question *before = NULL;

    for (struct question *o = q->questions_first; o != question; o = o->next)
        before = o;
    return before;
}

static void question_finish(struct read_queue *q, struct question *question)
{
    question_unlink(q, question, question_before(q, question));
    asker_answer(&q->asker, question);
}

static void question_take(struct question *question, uint32_t index, const struct reply *reply)
{
    struct answer *result = &question->results[index];

    if (is_top(result))
        result->state = top_set_read(reply, question->scan) ? ANSWER_FOUND : ANSWER_FAILED;
    else
        result_take(result, reply);
}

static void slot_answer(struct read_queue *q, const struct read_slot *slot, const struct reply *reply)
{
    question_take(slot->question, slot->index, reply);
    if (--slot->question->unanswered == 0)
        question_finish(q, slot->question);
}

void read_queue_take(struct read_queue *q, uint32_t lane, const struct reply *reply, uint64_t now_ms)
{
    struct read_lane *l = &q->lanes[lane];
    uint32_t at = l->first;
    const struct read_slot slot = *slot_at(q, at);

    l->first = slot.next;
    bucket_remove(q, at);
    slot_give_back(q, at);
    if (!slot.question)
        return;
    struct answer *result = &slot.question->results[slot.index];
    if (!is_top(result))
        result_take(result, reply);
    result_publish(q, result, now_ms);
    for (uint32_t other = slot.joined, next; other; other = next) {
        next = slot_at(q, other)->next;
        slot_answer(q, slot_at(q, other), reply);
        slot_give_back(q, other);
    }
    slot_answer(q, &slot, reply);
}

/* ---- what goes wrong ---- */

/* Expired slots leave the part of a lane that is still to be sent; under way, they keep their place, so that
 * each reply finds its slot. */
static void lane_drop_expired(struct read_queue *q, struct read_lane *l)
{
    uint32_t before = 0, unsent = l->unsent;

    for (uint32_t at = l->first; at && at != unsent; at = slot_at(q, at)->next) {
        slot_drop_expired(q, at);
        before = at;
    }
    l->unsent = 0;
    l->last = before;
    if (before)
        slot_at(q, before)->next = 0;
    else
        l->first = 0;
    for (uint32_t at = unsent, next; at; at = next) {
        next = slot_at(q, at)->next;
        slot_drop_expired(q, at);
        if (slot_at(q, at)->question) {
            lane_append(q, l, at);
            continue;
        }
        bucket_remove(q, at);
        slot_give_back(q, at);
    }
}

static void question_expire(struct read_queue *q, struct question *question, struct question *before)
{
    for (uint32_t slot = 1; slot <= q->used; slot++) {
        if (slot_at(q, slot)->question == question)
            slot_at(q, slot)->question = NULL;
    }
    question_unlink(q, question, before);
    fail_unanswered(question);
    asker_answer(&q->asker, question);
}

static void slot_expire(struct read_queue *q, const struct read_slot *slot)
{
    if (slot->question)
        question_expire(q, slot->question, question_before(q, slot->question));
}

void read_queue_fail(struct read_queue *q, uint32_t lane)
{
    struct read_lane *l = &q->lanes[lane];

    for (uint32_t at = l->first; at; at = slot_at(q, at)->next) {
        slot_expire(q, slot_at(q, at));
        for (uint32_t other = slot_at(q, at)->joined; other; other = slot_at(q, other)->next)
            slot_expire(q, slot_at(q, other));
    }
    l->unsent = l->first;
    for (uint32_t any = 0; any < q->space->partitions; any++)
        lane_drop_expired(q, &q->lanes[any]);
}

void read_queue_expire(struct read_queue *q, uint64_t now_ms)
{
    struct question *before = NULL;
    bool any = false;

    for (struct question *question = q->questions_first, *next; question; question = next) {
        next = question->next;
        if (now_ms < question->deadline_ms) {
            before = question;
            continue;
        }
        question_expire(q, question, before);
        any = true;
    }
    for (uint32_t lane = 0; any && lane < q->space->partitions; lane++)
        lane_drop_expired(q, &q->lanes[lane]);
}

uint64_t read_queue_wake_ms(const struct read_queue *q)
{
    uint64_t wake = UINT64_MAX;

    for (const struct question *question = q->questions_first; question; question = question->next)
        wake = question->deadline_ms < wake ? question->deadline_ms : wake;
    return wake;
}
