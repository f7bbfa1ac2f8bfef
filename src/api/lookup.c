#include "api/lookup.h"

#include <string.h>

#include "api/ask.h"

#define ASK_DEADLINE_MS 400 /* the flusher gives up then … */
#define ASK_WAIT_MS 600     /* … and the request at the latest then */
#define STALE_MS_MIN 2000

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

static bool lookup_ask(struct api_worker *aw, struct reply *reply, const struct slice *names, uint32_t count)
{
    struct read_op *op = ask_op(aw, reply, count, ASK_DEADLINE_MS);
    for (uint32_t i = 0; op && i < count; i++) {
        memcpy(op->results[i].name, names[i].at, names[i].bytes);
        op->results[i].name_bytes = (uint16_t)names[i].bytes;
    }
    return ask_begin(aw, reply, op, ASK_WAIT_MS);
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
    const struct read_op *answer = ask_answer(reply);
    if (answer) {
        for (uint32_t i = 0; i < count; i++)
            value_merge(&out[i], &answer->results[i], reply->now_ms);
    } else if (!reply->waiting && !fresh && store_answers(aw)) {
        return !lookup_ask(aw, reply, names, count);
    }
    ask_end(reply); /* expired: with what there is */
    return true;
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
