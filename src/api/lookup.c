#include "api/lookup.h"

#include <stdlib.h>
#include <string.h>

#define ASK_DEADLINE_MS 400 /* the flusher gives up then … */
#define ASK_WAIT_MS 600     /* … and the request at the latest then */
#define STALE_MS_MIN 2000

struct lookup {
    struct api_worker *aw;
    struct ticket ticket;
    struct read_op *op; /* the flusher's until `answered` */
    bool answered;      /* op came back */
    bool forgotten;     /* nobody waits: free it when op comes back */
};

static void lookup_free(struct lookup *l)
{
    free(l->op);
    free(l);
}

static bool is_fresh(const struct api_worker *aw, const struct tally_value *v, uint64_t now_ms)
{
    uint64_t limit_ms = 2 * (uint64_t)aw->api->config.flush_interval_ms;
    if (limit_ms < STALE_MS_MIN)
        limit_ms = STALE_MS_MIN;
    return v->known && now_ms - v->as_of_ms <= limit_ms;
}

static void value_from_tally(const struct api_worker *aw, const struct tally_value *v, uint64_t now_ms,
                             struct lookup_value *out)
{
    bool embedded = aw->api->config.embedded;
    *out = (struct lookup_value){
        .value = v->value,
        .pending = v->pending,
        .as_of_ms = embedded ? now_ms : v->as_of_ms,
        .known = v->known || embedded,
        .exists = v->counted || (v->known && v->stored != 0),
    };
}

/* The store's answer for a name; one that this process counts is published too, and newer there. */
static void value_merge(struct lookup_value *v, const struct read_result *result, uint64_t now_ms)
{
    if (result->state == READ_FOUND && !v->known) {
        v->value += result->stored;
        v->exists = true;
    }
    if (result->state == READ_FOUND || result->state == READ_MISSING) {
        v->known = true;
        if (v->as_of_ms == 0)
            v->as_of_ms = now_ms;
    }
}

/* A request does not wait for a store that is known not to answer. */
static bool store_answers(const struct api_worker *aw)
{
    return !aw->api->config.embedded && flusher_stats(aw->api->config.flusher)->connected;
}

static struct lookup *lookup_ask(struct api_worker *aw, const struct reply *reply, const struct slice *names,
                                 uint32_t count)
{
    struct lookup *l = calloc(1, sizeof *l);
    struct read_op *op = calloc(1, sizeof *op + count * sizeof op->results[0]);
    if (!l || !op) {
        free(l);
        free(op);
        return NULL;
    }
    *op = (struct read_op){
        .worker = aw->index, .count = count, .deadline_ms = reply->now_ms + ASK_DEADLINE_MS, .owner = l};
    for (uint32_t i = 0; i < count; i++) {
        memcpy(op->results[i].name, names[i].at, names[i].bytes);
        op->results[i].name_bytes = (uint16_t)names[i].bytes;
    }
    *l = (struct lookup){.aw = aw, .ticket = reply->ticket, .op = op};
    if (flusher_ask(aw->api->config.flusher, op))
        return l;
    lookup_free(l);
    return NULL;
}

bool lookup_names(struct api_worker *aw, struct reply *reply, const struct slice *names, uint32_t count,
                  struct lookup_value *out)
{
    bool fresh = true;
    for (uint32_t i = 0; i < count; i++) {
        struct tally_value v;
        tally_read(aw->api->config.tally, names[i], &v);
        value_from_tally(aw, &v, reply->now_ms, &out[i]);
        fresh = fresh && is_fresh(aw, &v, reply->now_ms);
    }
    struct lookup *l = reply->waiting;
    if (l && l->answered) {
        for (uint32_t i = 0; i < count; i++)
            value_merge(&out[i], &l->op->results[i], reply->now_ms);
        lookup_free(l);
    } else if (l) {
        l->forgotten = true; /* expired: with what there is */
    } else if (!fresh && store_answers(aw)) {
        reply->waiting = lookup_ask(aw, reply, names, count);
        reply->wait_ms = ASK_WAIT_MS;
        return !reply->waiting;
    }
    reply->waiting = NULL;
    return true;
}

void lookup_forget(void *waiting)
{
    struct lookup *l = waiting;
    if (l->answered)
        lookup_free(l);
    else
        l->forgotten = true;
}

void lookup_answers(struct api_worker *aw)
{
    struct read_op *op;
    while (flusher_answer(aw->api->config.flusher, aw->index, &op)) {
        struct lookup *l = op->owner;
        l->answered = true;
        if (l->forgotten)
            lookup_free(l);
        else
            worker_resume(aw->worker, l->ticket);
    }
}

void lookup_append(struct buf *b, const struct lookup_value *v, uint64_t now_ms)
{
    buf_append_slice(b, SLICE("\"value\":"));
    buf_append_i64(b, v->value);
    buf_append_slice(b, SLICE(",\"pending\":"));
    buf_append_u64(b, v->pending);
    buf_append_slice(b, SLICE(",\"stale_ms\":"));
    if (v->known)
        buf_append_u64(b, now_ms - v->as_of_ms);
    else
        buf_append_slice(b, SLICE("null"));
}
