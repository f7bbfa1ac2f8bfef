#include "api/hit_answer.h"

#include "flush/mailbox.h"
#include "forms/badge.h"
#include "forms/color.h"
#include "forms/count_text.h"
#include "http/response.h"
#include "request/ask.h"
#include "request/lookup.h"

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
        .body = {pixel, sizeof(pixel)},
        .extra = SLICE(COUNTED_HEADERS),
    };
}

/* ---- badges ---- */

static bool label_read(struct slice given, char out[BADGE_LABEL_BYTES_MAX], struct slice *label)
{
    int bytes = http_percent_decode(given, true, out, BADGE_LABEL_BYTES_MAX);
    *label = (struct slice){out, bytes < 0 ? 0 : (size_t)bytes};
    return bytes >= 0 && badge_label_valid(*label);
}

/* What the query leaves out stays as it is in `badge` and `format`. API_ALLOWED: all is well. */
static enum api_refusal badge_read(const struct hit_query *q, char space[BADGE_LABEL_BYTES_MAX], struct badge *badge,
                                   enum count_format *format)
{
    if (q->label.at && !label_read(q->label, space, &badge->label))
        return API_REFUSED_BAD_LABEL;
    if ((q->color.at && !color_parse(q->color, &badge->color)) ||
        (q->label_color.at && !color_parse(q->label_color, &badge->label_color)))
        return API_REFUSED_BAD_COLOR;
    if (q->format.at && !count_format_parse(q->format, format))
        return API_REFUSED_BAD_FORMAT;
    return API_ALLOWED;
}

enum api_refusal hit_image_check(const struct hit *hit)
{
    char space[BADGE_LABEL_BYTES_MAX];
    struct badge badge;
    enum count_format format;
    if (hit->query.wants_stored)
        return API_REFUSED_BAD_QUERY;
    return hit->form == HIT_SVG ? badge_read(&hit->query, space, &badge, &format) : API_ALLOWED;
}

static const struct badge badge_plain = {.label = SLICE("hits"), .color = 0xc2410c, .label_color = 0x44403c};

static void badge_answer(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                         const struct badge *badge, enum api_refusal why)
{
    char space[STATUS_BYTES_MAX];
    struct buf body = {0}, headers = buf_over(space, sizeof(space));
    badge_append(&body, badge);
    hit_status_append(&headers, why);
    answer(aw, r, reply,
           &(struct http_response){
               .status = 200, .content_type = "image/svg+xml", .body = buf_slice(&body), .extra = buf_slice(&headers)});
    buf_fini(&body);
}

static enum handler_result answer_badge(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        const struct hit_query *query, const struct lookup_value *value,
                                        enum api_refusal why)
{
    struct badge badge = badge_plain;
    enum count_format format = COUNT_DIGITS;
    char label[BADGE_LABEL_BYTES_MAX], space[64];
    struct buf text = buf_over(space, sizeof(space));
    badge_read(query, label, &badge, &format);
    count_append(&text, value->value, format);
    buf_append(&text, "+", !value->known); /* there are more in a store that does not answer */
    badge.value = buf_slice(&text);
    badge_answer(aw, r, reply, &badge, why);
    return HANDLED;
}

static enum handler_result badge_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    struct hit_query query = {0};
    struct lookup_value value;
    if (r->query.at)
        hit_query_read(r->query, &query); /* it was well when it came */
    lookup_answer(aw, reply, &value);
    return answer_badge(aw, r, reply, &query, &value, (enum api_refusal)ask_note_read(reply));
}

enum handler_result hit_answer_badge(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     const struct hit *hit, enum api_refusal why)
{
    struct lookup_value value;
    if (lookup_names(aw, r, reply, &hit->name, 1, &value, badge_resume))
        return answer_badge(aw, r, reply, &hit->query, &value, why);
    ask_note(reply, why);
    return WAITING;
}

void hit_answer_pixel_of(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum api_refusal why)
{
    char space[STATUS_BYTES_MAX];
    struct buf headers = buf_over(space, sizeof(space));
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
    else
        badge_answer(aw, r, reply, &(struct badge){badge_plain.label, SLICE("not counted"), 0x78716c, 0x44403c}, why);
}

/* ---- the number ---- */

static enum handler_result answer_value(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                        const struct lookup_value *value, enum api_refusal why)
{
    char space[160], lines[STATUS_BYTES_MAX];
    struct buf body = buf_over(space, sizeof(space));
    struct buf headers = buf_over(lines, sizeof(lines));
    buf_append(&body, "{", 1);
    lookup_append(&body, value, reply->now_ms);
    buf_append(&body, "}\n", 2);
    hit_status_append(&headers, why);
    answer(
        aw, r, reply,
        &(struct http_response){
            .status = 200, .content_type = "application/json", .body = buf_slice(&body), .extra = buf_slice(&headers)});
    return HANDLED;
}

static enum handler_result value_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    struct lookup_value value;
    lookup_answer(aw, reply, &value);
    return answer_value(aw, r, reply, &value, (enum api_refusal)ask_note_read(reply));
}

enum handler_result hit_answer_value(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     const struct hit *hit, enum api_refusal why)
{
    struct lookup_value value;
    if (lookup_names(aw, r, reply, &hit->name, 1, &value, value_resume))
        return answer_value(aw, r, reply, &value, why);
    ask_note(reply, why);
    return WAITING;
}

/* ---- stored ---- */

static enum handler_result answer_stored(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                         bool stored)
{
    answer(aw, r, reply,
           &(struct http_response){.status = stored ? 204 : 202,
                                   .extra = stored ? SLICE(STORED_HEADERS) : SLICE(COUNTED_HEADERS)});
    return HANDLED;
}

static enum handler_result stored_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply)
{
    const struct question *question = ask_answer(reply);
    return answer_stored(aw, r, reply, question && question->done);
}

static bool stored_ask(struct api_worker *aw, struct reply *reply, const struct hit *hit)
{
    uint64_t wait_ms = 2 * (uint64_t)aw->api->config.flush_interval_ms + 1000;
    if (wait_ms > STORED_WAIT_MS_MAX)
        wait_ms = STORED_WAIT_MS_MAX;
    struct question *question = ask_question(aw, reply, 0, (uint32_t)wait_ms);
    if (question) {
        question->kind = ASK_STORED;
        question->mark = tally_mark(aw->api->config.tally, aw->index, hit->name);
    }
    return ask_begin(aw, reply, question, (uint32_t)wait_ms + STORED_GRACE_MS, stored_resume);
}

enum handler_result hit_answer_stored(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                      const struct hit *hit)
{
    return stored_ask(aw, reply, hit) ? WAITING : answer_stored(aw, r, reply, false);
}
