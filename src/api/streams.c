#include "api/streams.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "api/pace.h"
#include "api/total.h"
#include "base/random.h"
#include "flush/mailbox.h"
#include "net/worker.h"
#include "request/lookup.h"

/* A drain spreads those who come again over this time. */
#define SPREAD_MS_MIN 1000
#define SPREAD_MS 9000

struct topic {
    struct topic *next;
    struct stream *streams;
    char name[NAME_BYTES_MAX];
    uint16_t name_bytes;
    bool total; /* it is a namespace's */
    bool none;  /* it came too late to have a total */
    bool known; /* `value` is */
    bool fresh; /* … and no older than the store is asked for it */
    int64_t value;
    uint64_t tenths; /* a second */
    struct pace pace;
    uint64_t paced_ms, asked_ms;
};

struct stream {
    struct stream *next;
    struct topic *topic;
    struct ticket ticket;
    struct ip client;
    bool told; /* `value` and `tenths` */
    int64_t value;
    uint64_t tenths;
    uint64_t event_ms, word_ms; /* the last event; the last of any kind */
};

struct streams {
    struct topic *topics;
    uint32_t count; /* streams */
    bool draining;
};

/* ---- topics ---- */

static struct slice topic_name(const struct topic *t) { return (struct slice){t->name, t->name_bytes}; }

static struct topic *topic_get(struct streams *s, struct slice name)
{
    for (struct topic *t = s->topics; t; t = t->next)
        if (slice_equals(topic_name(t), name))
            return t;
    struct topic *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    memcpy(t->name, name.at, name.bytes);
    t->name_bytes = (uint16_t)name.bytes;
    t->total = name.at[0] == '!'; /* no counter has such a name */
    t->next = s->topics;
    s->topics = t;
    return t;
}

static void topic_drop(struct streams *s, struct topic *topic)
{
    struct topic **at = &s->topics;
    while (*at != topic)
        at = &(*at)->next;
    *at = topic->next;
    free(topic);
}

/* An answer that has grown old is still the newest that there is. */
static void topic_read(const struct api_worker *aw, struct topic *t, uint64_t now_ms)
{
    struct lookup_value v;
    t->fresh = lookup_peek(aw, topic_name(t), now_ms, &v);
    if (v.known) {
        t->known = true;
        t->value = v.value;
    }
}

static void topic_read_total(const struct api_worker *aw, struct topic *t)
{
    int64_t value;
    if (!total_peek(aw, topic_name(t), &value))
        return;
    t->none = value == TOTAL_NONE;
    t->known = !t->none;
    t->value = value;
}

static void topic_look(const struct api_worker *aw, struct topic *t, uint64_t now_ms)
{
    if (t->total)
        topic_read_total(aw, t);
    else
        topic_read(aw, t, now_ms);
    if (!t->known || now_ms - t->paced_ms < STREAM_EVENT_MS)
        return;
    t->paced_ms = now_ms;
    pace_add(&t->pace, t->value, now_ms);
    t->tenths = pace_tenths(&t->pace);
}

static bool topic_is_due(const struct topic *t, uint64_t now_ms)
{
    uint32_t pause_ms = t->total ? STREAM_EVENT_MS : STREAM_ASK_MS;
    return !t->fresh && (t->asked_ms == 0 || now_ms - t->asked_ms >= pause_ms);
}

/* All that are due in one question. */
static void topics_ask(struct api_worker *aw, uint64_t now_ms)
{
    struct streams *s = aw->streams;
    struct slice names[QUESTION_NAMES_MAX];
    uint32_t count = 0;
    for (struct topic *t = s->topics; t && count < QUESTION_NAMES_MAX; t = t->next)
        if (topic_is_due(t, now_ms)) {
            t->asked_ms = now_ms;
            if (t->total)
                total_refresh(aw, topic_name(t), now_ms);
            else
                names[count++] = topic_name(t);
        }
    if (count > 0)
        lookup_refresh(aw, names, count, now_ms);
}

/* ---- streams ---- */

static void count_publish(struct api_worker *aw)
{
    store_relaxed_u64(&aw->stats.streams_open, aw->streams->count); /* partner: the reader of metrics */
}

static void stream_free(struct api_worker *aw, struct stream *stream)
{
    struct topic *t = stream->topic;
    struct stream **at = &t->streams;
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    free(stream);
    if (!t->streams)
        topic_drop(aw->streams, t);
    aw->streams->count--;
    count_publish(aw);
}

/* ---- what a stream is told ---- */

static void event_append(struct buf *b, const struct topic *t)
{
    buf_append_slice(b, SLICE("id: "));
    buf_append_i64(b, t->value);
    buf_append_slice(b, SLICE("\nevent: count\ndata: {\"value\":"));
    buf_append_i64(b, t->value);
    buf_append_slice(b, SLICE(",\"rate\":"));
    buf_append_u64(b, t->tenths / 10);
    buf_append(b, ".", 1);
    buf_append_u64(b, t->tenths % 10);
    buf_append_slice(b, SLICE("}\n\n"));
}

static bool stream_has_news(const struct stream *s)
{
    const struct topic *t = s->topic;
    return t->known && (!s->told || s->value != t->value || s->tenths != t->tenths);
}

static void stream_tell(struct api_worker *aw, struct stream *s, uint64_t now_ms, struct buf *out)
{
    event_append(out, s->topic);
    s->told = true;
    s->value = s->topic->value;
    s->tenths = s->topic->tenths;
    s->event_ms = s->word_ms = now_ms;
    stat_add(&aw->stats.stream_events, 1);
}

static void stream_tick(struct api_worker *aw, struct stream *s, uint64_t now_ms)
{
    bool news = stream_has_news(s) && now_ms - s->event_ms >= STREAM_EVENT_MS;
    struct buf *out;
    if (!news && now_ms - s->word_ms < STREAM_COMMENT_MS)
        return;
    out = worker_stream(aw->worker, s->ticket);
    if (!out)
        return;
    if (news) {
        stream_tell(aw, s, now_ms, out);
    } else {
        buf_append_slice(out, SLICE(":\n\n"));
        s->word_ms = now_ms;
    }
}

/* Whoever comes again is answered 404, at which a browser gives up. */
static void topic_end(struct api_worker *aw, struct topic *t)
{
    for (bool more = true; more;) {
        struct stream *stream = t->streams;
        struct ticket ticket = stream->ticket;
        struct buf *out = worker_stream(aw->worker, ticket);
        if (out)
            buf_append_slice(out, SLICE("event: no_total\ndata: {\"detail\":\"" TOTAL_NONE_DETAIL "\"}\n\n"));
        more = stream->next;
        stream_free(aw, stream);
        worker_stream_end(aw->worker, ticket);
    }
}

static void end_those_without_total(struct api_worker *aw)
{
    for (struct topic *t = aw->streams->topics, *next; t; t = next) {
        next = t->next;
        if (t->none)
            topic_end(aw, t);
    }
}

void streams_tick(struct api_worker *aw, uint64_t now_ms)
{
    for (struct topic *t = aw->streams->topics; t; t = t->next) {
        topic_look(aw, t, now_ms);
        for (struct stream *s = t->streams; s; s = s->next)
            stream_tick(aw, s, now_ms);
    }
    end_those_without_total(aw);
    if (aw->streams->topics)
        topics_ask(aw, now_ms);
}

/* ---- begin and end ---- */

struct stream *stream_open(struct api_worker *aw, struct slice name, struct ticket ticket, const struct ip *client,
                           const int64_t *seen, uint64_t now_ms, struct buf *out)
{
    struct topic *t = topic_get(aw->streams, name);
    struct stream *s = t ? calloc(1, sizeof(*s)) : NULL;
    if (!s) {
        if (t && !t->streams)
            topic_drop(aw->streams, t);
        return NULL;
    }
    *s = (struct stream){.next = t->streams, .topic = t, .ticket = ticket, .word_ms = now_ms};
    if (client)
        s->client = *client;
    t->streams = s;
    aw->streams->count++;
    count_publish(aw);
    stat_add(&aw->stats.streams_opened, 1);
    topic_look(aw, t, now_ms);
    if (seen && t->known && *seen == t->value) {
        s->told = true;
        s->value = t->value;
        s->tenths = t->tenths;
        s->event_ms = now_ms;
    } else if (t->known) {
        stream_tell(aw, s, now_ms, out);
    }
    return s;
}

void stream_ended(struct api_worker *aw, struct stream *stream) { stream_free(aw, stream); }

void stream_retry_append(struct buf *out)
{
    uint32_t drawn = 0;
    random_bytes(&drawn, sizeof(drawn)); /* without randomness they come a second later, all of them */
    buf_append_slice(out, SLICE("retry: "));
    buf_append_u64(out, SPREAD_MS_MIN + drawn % SPREAD_MS);
    buf_append(out, "\n\n", 2);
}

void streams_drain(struct api_worker *aw)
{
    struct streams *s = aw->streams;
    s->draining = true;
    while (s->topics) {
        struct stream *stream = s->topics->streams;
        struct buf *out = worker_stream(aw->worker, stream->ticket);
        if (out)
            stream_retry_append(out);
        struct ticket ticket = stream->ticket;
        stream_free(aw, stream);
        worker_stream_end(aw->worker, ticket);
    }
}

/* ---- the whole ---- */

uint32_t streams_count(const struct streams *s) { return s->count; }
bool streams_are_draining(const struct streams *s) { return s->draining; }

uint32_t streams_of(const struct streams *s, const struct ip *client)
{
    uint32_t count = 0;
    for (const struct topic *t = s->topics; t; t = t->next)
        for (const struct stream *stream = t->streams; stream; stream = stream->next)
            count += ip_equals(&stream->client, client);
    return count;
}

int streams_create(struct streams **out)
{
    *out = calloc(1, sizeof(**out));
    return *out ? 0 : -ENOMEM;
}

void streams_destroy(struct streams *s)
{
    assert(!s || !s->topics);
    free(s);
}
