#include "request/lookup.h"

#include <string.h>

#include "flush/mailbox.h"
#include "policy/rate.h"
#include "tally/answers.h"

#define ASK_DEADLINE_MS 400 /* the flusher gives up then … */
#define ASK_WAIT_MS 600     /* … and the request at the latest then */
#define STALE_MS_MIN 2000
#define READ_BURST_S 2

static uint64_t stale_ms_max(const struct api_worker *aw)
{
    uint64_t limit_ms = 2 * (uint64_t)aw->api->config.flush_interval_ms;
    return limit_ms < STALE_MS_MIN ? STALE_MS_MIN : limit_ms;
}

static bool is_fresh(const struct api_worker *aw, const struct tally_value *v, uint64_t now_ms)
{
    return v->known && now_ms - v->as_of_ms <= stale_ms_max(aw);
}

/* Answers from before a seed or reset, or on their way when it was made, are not believed. */
static uint64_t believed_since_ms(const struct api_worker *aw, uint64_t now_ms)
{
    uint64_t limit_ms = stale_ms_max(aw), since_ms = now_ms > limit_ms ? now_ms - limit_ms : 0;
    uint64_t written_ms = load_relaxed_u64(&aw->api->written_ms); /* partner: write_end() */
    return written_ms != 0 && written_ms + ASK_WAIT_MS > since_ms ? written_ms + ASK_WAIT_MS : since_ms;
}

static bool value_recall(const struct api_worker *aw, struct slice name, uint64_t now_ms, struct lookup_value *v)
{
    struct stored_answer known;
    if (!answers_find(tally_answers(aw->api->config.tally), name, believed_since_ms(aw, now_ms), &known))
        return false;
    v->value += known.stored;
    v->exists = v->exists || known.found;
    v->known = true;
    v->as_of_ms = known.at_ms;
    return true;
}

/* The client's own share first: what one wants beyond it costs the others nothing. */
static bool may_ask(struct api_worker *aw, const struct reply *reply, const struct http_request *r, uint32_t names)
{
    static const struct ip everybody;
    const struct api_config *config = &aw->api->config;
    struct ip client = everybody;
    uint32_t wait_s = 0;
    bool told = reply->peer && r && config->reads_client > 0;
    if (told)
        client = client_find(&config->proxies, reply->peer, r);
    for (uint32_t i = 0; i < names && wait_s == 0; i++) {
        if (told)
            wait_s = rate_take(aw->readers, &client, config->reads_client, config->reads_client * READ_BURST_S,
                               reply->now_ms);
        if (wait_s == 0 && config->reads > 0)
            wait_s = rate_take(aw->readers, &everybody, config->reads, config->reads * READ_BURST_S, reply->now_ms);
    }
    stat_add(&aw->stats.reads_busy, wait_s > 0);
    return wait_s == 0;
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
static void value_merge(struct lookup_value *v, const struct answer *result, uint64_t now_ms)
{
    if (result->state == ANSWER_FOUND && !v->known) {
        v->value += result->stored;
        v->exists = true;
    }
    if (result->state == ANSWER_FOUND || result->state == ANSWER_MISSING) {
        v->known = true;
        if (v->as_of_ms == 0)
            v->as_of_ms = now_ms;
    }
}

/* A request does not wait for a store that is known not to answer. */
static bool store_answers(const struct api_worker *aw)
{
    return !aw->api->config.embedded && mailbox_is_connected(aw->api->config.mailbox);
}

static struct question *question_about(const struct api_worker *aw, const struct reply *reply,
                                       const struct slice *names, uint32_t count)
{
    struct question *question = ask_question(aw, reply, count, ASK_DEADLINE_MS);
    for (uint32_t i = 0; question && i < count; i++) {
        memcpy(question->results[i].name, names[i].at, names[i].bytes);
        question->results[i].name_bytes = (uint16_t)names[i].bytes;
    }
    return question;
}

/* Returns whether what is known in this process will do. */
static bool value_read(const struct api_worker *aw, struct slice name, uint64_t now_ms, struct lookup_value *out)
{
    struct tally_value v;
    tally_read(aw->api->config.tally, name, &v);
    value_from_tally(aw, &v, now_ms, out);
    bool recalled = !v.known && !v.counted && value_recall(aw, name, now_ms, out);
    return recalled || is_fresh(aw, &v, now_ms);
}

bool lookup_names(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct slice *names,
                  uint32_t count, struct lookup_value *out, ask_resume_fn *resume)
{
    bool fresh = true;
    for (uint32_t i = 0; i < count; i++)
        fresh = value_read(aw, names[i], reply->now_ms, &out[i]) && fresh;
    if (fresh || !store_answers(aw))
        return true;
    if (may_ask(aw, reply, r, count) &&
        ask_begin(aw, reply, question_about(aw, reply, names, count), ASK_WAIT_MS, resume))
        return false;
    for (uint32_t i = 0; i < count; i++)
        out[i].busy = !out[i].known; /* or the flusher takes no more questions */
    return true;
}

void lookup_answer(const struct api_worker *aw, const struct reply *reply, struct lookup_value *out)
{
    const struct question *answer = ask_answer(reply);
    for (uint32_t i = 0; i < ask_names(reply); i++) {
        struct tally_value v;
        if (!answer) {
            value_read(aw, ask_name(reply, i), reply->now_ms, &out[i]);
            continue;
        }
        tally_read(aw->api->config.tally, ask_name(reply, i), &v);
        value_from_tally(aw, &v, reply->now_ms, &out[i]);
        value_merge(&out[i], &answer->results[i], reply->now_ms);
    }
}

bool lookup_peek(const struct api_worker *aw, struct slice name, uint64_t now_ms, struct lookup_value *out)
{
    return value_read(aw, name, now_ms, out) || aw->api->config.embedded;
}

void lookup_refresh(struct api_worker *aw, const struct slice *names, uint32_t count, uint64_t now_ms)
{
    const struct reply nobody = {.now_ms = now_ms};
    if (store_answers(aw) && may_ask(aw, &nobody, NULL, count))
        ask_quietly(aw, question_about(aw, &nobody, names, count));
}

bool lookup_may_ask(struct api_worker *aw, const struct http_request *r, const struct reply *reply)
{
    return may_ask(aw, reply, r, 1);
}

uint64_t lookup_since_ms(const struct api_worker *aw, uint64_t now_ms)
{
    uint64_t limit_ms = stale_ms_max(aw);
    return now_ms > limit_ms ? now_ms - limit_ms : 1;
}

int64_t lookup_listed(const struct api_worker *aw, struct slice name, int64_t stored, uint64_t now_ms)
{
    struct tally_value v;
    tally_read(aw->api->config.tally, name, &v);
    return aw->api->config.embedded || is_fresh(aw, &v, now_ms) ? v.value : stored;
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
