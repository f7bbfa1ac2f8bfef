/* GET /v1/export/{ns}?format=csv|ndjson: all keys of a namespace with what was counted, in one answer as long as that
 * may be. A page of names is asked for (owed/scan.h) when the page before has been taken by the kernel, so an export
 * costs the memory of two pages, whoever reads it how slowly. Between two questions the store has three quarters of the
 * time to itself. One at a time in the process. */

#include <stdio.h>

#include "api/routes.h"
#include "api/walk.h"
#include "flush/mailbox.h"
#include "forms/csv.h"
#include "forms/json.h"
#include "http/response.h"
#include "request/ask.h"
#include "request/lookup.h"
#include "request/right.h"
#include "sync/atomic.h"

#define EXPORT_PAUSE_PERCENT 300
#define EXPORT_LOOK_MS 50 /* has the kernel taken the page? */

static const struct form {
    struct slice name;
    const char *content_type;
    struct slice head; /* what stands in front of the first key */
    void (*append)(struct buf *b, struct slice name, int64_t value);
} forms[] = {
    {SLICE("csv"), "text/csv; charset=utf-8; header=present", SLICE("ns,key,value\r\n"), csv_append_counter},
    {SLICE("ndjson"), "application/x-ndjson", SLICE(""), json_append_counter},
};

/* The one that ?format= names, the first without it. NULL: there is no such, or it is said twice. */
static const struct form *form_of(struct slice query)
{
    const struct form *found = NULL;
    struct slice name, value;
    bool said = false;
    while (query.at && http_query_next(&query, &name, &value)) {
        if (!slice_equals(name, SLICE("format")))
            continue;
        if (said)
            return NULL;
        said = true;
        for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
            if (slice_equals(value, forms[i].name))
                found = &forms[i];
    }
    return said ? found : &forms[0];
}

/* The length is not known: the body comes in chunks (RFC 9112 section 7.1). */
static void append_head(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                        const struct form *form, struct slice ns)
{
    char extra[512];
    int bytes = snprintf(extra, sizeof(extra), "%sContent-Disposition: attachment; filename=\"%.*s.%s\"\r\n",
                         aw->trusted ? PRIVATE_HEADERS : API_HEADERS, (int)ns.bytes, ns.at, form->name.at);
    struct http_response response = {
        .status = 200,
        .content_type = form->content_type,
        .extra = {extra, (size_t)bytes},
        .chunked = true,
        .close = reply->close,
    };
    http_response_write(reply->out, r, &response, reply->date);
    answer_count(aw, 200);
}

static void append_chunk(struct buf *out, struct slice data)
{
    if (data.bytes == 0) /* it would be the last */
        return;
    buf_printf(out, "%zx\r\n", data.bytes);
    buf_append_slice(out, data);
    buf_append(out, "\r\n", 2);
}

static void append_page(struct api_worker *aw, struct reply *reply, const struct form *form, const struct scan *scan,
                        bool first)
{
    struct buf rows = {0};
    if (first)
        buf_append_slice(&rows, form->head);
    for (uint32_t i = 0; i < scan->count; i++) {
        struct slice name = scan_name_at(scan, i);
        if (scan->names[i].there)
            form->append(&rows, name, lookup_listed(aw, name, scan->names[i].value, reply->now_ms));
    }
    stat_add(&aw->stats.keys_listed, scan->count);
    append_chunk(reply->out, buf_slice(&rows));
    reply->out->failed |= rows.failed;
    buf_fini(&rows);
}

/* ---- page after page ---- */

/* A client cannot be told in another way that what it has is not all: there is no last chunk. */
static enum handler_result export_cut(struct api_worker *aw, struct reply *reply)
{
    stat_add(&aw->stats.exports_cut, 1);
    reply->close = true;
    return HANDLED;
}

static enum handler_result export_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct form *form = form_of(r->query);
    bool first = ask_note_read(reply) == 0;
    bool draining = r->keep_alive && reply->close;
    if (!first && (draining || !ask_answer(reply)))
        return export_cut(aw, reply);
    if (reply->out->bytes > 0 && !first) { /* the page before is not with the kernel yet */
        reply->wait_ms = EXPORT_LOOK_MS;
        return WAITING;
    }
    const struct scan *scan = first ? walk_page(aw, r, reply) : ask_answer(reply)->scan;
    if (!scan) {
        return HANDLED;
    }
    if (scan->state != SCAN_DONE)
        return export_cut(aw, reply);
    if (first)
        append_head(aw, r, reply, form, name_ns((struct slice){scan->begins, scan->begins_bytes}));
    append_page(aw, reply, form, scan, first);
    if (scan->ended) {
        buf_append_slice(reply->out, SLICE("0\r\n\r\n"));
        return HANDLED;
    }
    if (!walk_again(aw, reply))
        return export_cut(aw, reply);
    ask_note(reply, 1);
    return WAITING;
}

/* ---- its beginning ---- */

static enum handler_result export_begin(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        struct keys_query *q, const struct form *form)
{
    if (!right_check(aw, r, reply, TOKEN_READ, keys_query_ns(q)))
        return HANDLED;
    if (r->method == HTTP_HEAD) {
        append_head(aw, r, reply, form, keys_query_ns(q));
        return HANDLED;
    }
    if (r->minor_version == 0) {
        answer_error(aw, r, reply, 505, "http_version", "an export comes in chunks: ask by HTTP/1.1", NULL);
        return HANDLED;
    }
    if (!cas_u32(&aw->api->exporting, 0, 1)) { /* partner: ask_forget() */
        answer_error(aw, r, reply, 429, "export_under_way", "one export at a time; this process makes another",
                     "Retry-After: 10\r\n");
        return HANDLED;
    }
    q->pause_percent = EXPORT_PAUSE_PERCENT;
    if (!walk_begin(aw, r, reply, q, export_resume)) {
        store_release_u32(&aw->api->exporting, 0);
        return HANDLED;
    }
    stat_add(&aw->stats.exports, 1);
    ask_hold(reply, &aw->api->exporting);
    return WAITING;
}

enum handler_result route_export(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                 struct slice path)
{
    if (r->method != HTTP_GET && r->method != HTTP_HEAD) {
        answer_method(aw, r, reply, "GET, HEAD, OPTIONS");
        return HANDLED;
    }
    struct keys_query q;
    const struct form *form = form_of(r->query);
    const char *detail, *wrong = keys_query_read(&q, path, r->query, SCAN_LIMIT_MAX, &detail);
    if (!wrong && !form) {
        wrong = "bad_format";
        detail = "format is csv or ndjson, once at most";
    }
    if (wrong) {
        answer_error(aw, r, reply, 400, wrong, detail, NULL);
        return HANDLED;
    }
    return export_begin(aw, r, reply, &q, form);
}
