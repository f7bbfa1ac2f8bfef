#include "api/hit_answer.h"

#include <stdio.h>

#include "api/ask.h"
#include "api/badge.h"
#include "api/lookup.h"

#define COUNTED_HEADERS HIT_HEADERS "X-Hit-Status: counted\r\n"
#define STORED_HEADERS HIT_HEADERS "X-Hit-Status: stored\r\n"
#define STATUS_BYTES_MAX 512 /* of hit_status_append() */

#define STORED_WAIT_MS_MAX 30000
#define STORED_GRACE_MS 200 /* the flusher gives up first, so that its memory comes back with the answer */

/* One transparent pixel: GIF89a, section 17 and on. */
static const char pixel[43] = "GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0" /* screen 1 × 1, two colours */
                              "!\xf9\4\1\0\0\0\0"                  /* colour 0 is transparent */
                              ",\0\0\0\0\1\0\1\0\0\2\2D\1\0;";     /* the image, and the end */

static void answer(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                   struct http_response *response)
{
    response->close = reply->close;
    http_response_write(reply->out, r, response, reply->date);
    answer_count(aw, response->status);
}

struct http_response hit_answer_pixel(void)
{
    return (struct http_response){
        .status = 200,
        .content_type = "image/gif",
        .body = {pixel, sizeof pixel},
        .extra = SLICE(COUNTED_HEADERS),
    };
}

/* ---- badges ---- */

static struct slice given_or(struct slice given, struct slice otherwise) { return given.at ? given : otherwise; }

enum api_refusal hit_image_check(const struct hit *hit)
{
    const struct hit_query *q = &hit->query;
    char label[BADGE_LABEL_BYTES_MAX];
    bool good = !q->wants_stored && (!q->color.at || badge_color_valid(q->color)) &&
                (!q->label_color.at || badge_color_valid(q->label_color)) &&
                (!q->label.at || http_percent_decode(q->label, true, label, sizeof label) >= 0);
    return good ? API_REFUSAL_KINDS : API_REFUSED_BAD_QUERY;
}

static void badge_answer(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                         const struct hit_query *q, struct slice value, enum api_refusal why)
{
    char label[BADGE_LABEL_BYTES_MAX], space[STATUS_BYTES_MAX];
    int label_bytes = q->label.at ? http_percent_decode(q->label, true, label, sizeof label) : -1;
    struct badge badge = {
        .label = label_bytes >= 0 ? (struct slice){label, (size_t)label_bytes} : SLICE("hits"),
        .value = value,
        .color = given_or(q->color, SLICE("c2410c")),
        .label_color = given_or(q->label_color, SLICE("44403c")),
    };
    struct buf body = {0}, headers = {.data = space, .capacity = sizeof space, .bytes_max = sizeof space};
    badge_append(&body, &badge);
    hit_status_append(&headers, why);
    answer(aw, r, reply,
           &(struct http_response){
               .status = 200, .content_type = "image/svg+xml", .body = buf_slice(&body), .extra = buf_slice(&headers)});
    buf_fini(&body);
}

enum handler_result hit_answer_badge(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     const struct hit *hit, enum api_refusal why)
{
    struct lookup_value value;
    char text[32];
    if (!lookup_names(aw, r, reply, &hit->name, 1, &value))
        return WAITING;
    /* "+": there are more in a store that does not answer. */
    int bytes = snprintf(text, sizeof text, "%lld%s", (long long)value.value, value.known ? "" : "+");
    badge_answer(aw, r, reply, &hit->query, (struct slice){text, (size_t)bytes}, why);
    return HANDLED;
}

void hit_answer_pixel_of(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum api_refusal why)
{
    char space[STATUS_BYTES_MAX];
    struct buf headers = {.data = space, .capacity = sizeof space, .bytes_max = sizeof space};
    struct http_response gif = hit_answer_pixel();
    hit_status_append(&headers, why);
    gif.extra = buf_slice(&headers);
    answer(aw, r, reply, &gif);
}

void hit_answer_refused_image(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                              const struct hit *hit, enum api_refusal why)
{
    refusal_count(aw, why);
    if (hit->form == HIT_GIF)
        hit_answer_pixel_of(aw, r, reply, why);
    else /* in the default colours: those of the query may be what is wrong with it */
        badge_answer(aw, r, reply, &(struct hit_query){0}, SLICE("not counted"), why);
}

/* ---- the number ---- */

enum handler_result hit_answer_value(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     const struct hit *hit, enum api_refusal why)
{
    struct lookup_value value;
    if (!lookup_names(aw, r, reply, &hit->name, 1, &value))
        return WAITING;
    char space[160], lines[STATUS_BYTES_MAX];
    struct buf body = {.data = space, .capacity = sizeof space, .bytes_max = sizeof space};
    struct buf headers = {.data = lines, .capacity = sizeof lines, .bytes_max = sizeof lines};
    buf_append(&body, "{", 1);
    lookup_append(&body, &value, reply->now_ms);
    buf_append(&body, "}\n", 2);
    hit_status_append(&headers, why);
    answer(
        aw, r, reply,
        &(struct http_response){
            .status = 200, .content_type = "application/json", .body = buf_slice(&body), .extra = buf_slice(&headers)});
    return HANDLED;
}

/* ---- stored ---- */

static bool stored_ask(struct api_worker *aw, struct reply *reply, const struct hit *hit)
{
    uint64_t wait_ms = 2 * (uint64_t)aw->api->config.flush_interval_ms + 1000;
    if (wait_ms > STORED_WAIT_MS_MAX)
        wait_ms = STORED_WAIT_MS_MAX;
    struct read_op *op = ask_op(aw, reply, 0, (uint32_t)wait_ms);
    if (op) {
        op->kind = ASK_STORED;
        op->mark = tally_mark(aw->api->config.tally, aw->index, hit->name);
    }
    return ask_begin(aw, reply, op, (uint32_t)wait_ms + STORED_GRACE_MS);
}

enum handler_result hit_answer_stored(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                      const struct hit *hit)
{
    if (!reply->again && stored_ask(aw, reply, hit))
        return WAITING;
    const struct read_op *op = ask_answer(reply);
    bool stored = op && op->done;
    ask_end(reply);
    answer(aw, r, reply,
           &(struct http_response){.status = stored ? 204 : 202,
                                   .extra = stored ? SLICE(STORED_HEADERS) : SLICE(COUNTED_HEADERS)});
    return HANDLED;
}
