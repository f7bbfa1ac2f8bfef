#include "ledger/writes.h"

static struct slice op_name(const struct read_op *op)
{
    return (struct slice){op->results[0].name, op->results[0].name_bytes};
}

static void answer(struct writes *w, struct read_op *op, enum read_state state)
{
    op->results[0].state = state;
    w->answered(w->answered_ctx, op);
}

void writes_push(struct writes *w, struct read_op *op)
{
    struct read_op **at = &w->first[keyspace_partition(w->space, op_name(op))];

    while (*at)
        at = &(*at)->next;
    op->next = NULL;
    *at = op;
}

bool writes_wait(const struct writes *w, uint32_t partition) { return w->first[partition] && !w->paused; }

void writes_pause(struct writes *w, bool paused) { w->paused = paused; }

bool writes_keep_keys(const struct writes *w) { return w->keys_kept > 0; }

void writes_take(struct writes *w, struct batch *b, struct keys *keys, uint32_t partition)
{
    struct read_op *op = w->first[partition];
    uint32_t key = keys_find(keys, op_name(op));

    w->first[partition] = op->next;
    if (key != KEY_NONE && !batch_take_key(b, keys, key)) {
        answer(w, op, READ_FAILED); /* no memory: what is not in front of the write would come back after it */
        return;
    }
    w->sent[partition] = b;
    w->keys_kept += key != KEY_NONE;
    b->overwrites = true;
    b->write = (struct batch_write){
        .there = true,
        .set = op->kind == ASK_SET,
        .value = op->kind == ASK_SET ? op->results[0].stored : 0,
        .key = key,
        .op = op,
    };
}

void writes_ended(struct writes *w, const struct batch *b, enum read_state state)
{
    w->keys_kept -= b->write.key != KEY_NONE;
    for (uint32_t i = 0; i < w->space->partitions; i++) {
        if (w->sent[i] != b)
            continue;
        w->sent[i] = NULL;
        answer(w, b->write.op, state);
    }
}

/* Queued in one partition. */
static void expire_queued(struct writes *w, struct read_op **at, uint64_t now_ms)
{
    for (struct read_op *op; (op = *at);) {
        if (now_ms < op->deadline_ms) {
            at = &op->next;
            continue;
        }
        *at = op->next; /* once answered it is the worker's */
        answer(w, op, READ_FAILED);
    }
}

void writes_expire(struct writes *w, uint64_t now_ms)
{
    for (uint32_t i = 0; i < w->space->partitions; i++) {
        struct batch *sent = w->sent[i];
        expire_queued(w, &w->first[i], now_ms);
        if (sent && now_ms >= sent->write.op->deadline_ms) {
            w->sent[i] = NULL;
            answer(w, sent->write.op, READ_UNKNOWN);
        }
    }
}

static uint64_t earlier(uint64_t wake, const struct read_op *op)
{
    return op && op->deadline_ms < wake ? op->deadline_ms : wake;
}

uint64_t writes_wake_ms(const struct writes *w)
{
    uint64_t wake = UINT64_MAX;

    for (uint32_t i = 0; i < w->space->partitions; i++) {
        wake = earlier(wake, w->sent[i] ? w->sent[i]->write.op : NULL);
        for (const struct read_op *op = w->first[i]; op; op = op->next)
            wake = earlier(wake, op);
    }
    return wake;
}
