/* GET|POST /v1/hit/{ns}/{key}, also with .gif and .svg behind it: the one route that has to be fast. The key may be
 * in the query: /v1/hit/{ns}?key=…, /v1/hit/{ns}.gif?key=…, /v1/hit/{ns}.svg?key=…. */

#include "api/hit_answer.h"
#include "api/routes.h"
#include "http/response.h"
#include "request/ask.h"
#include "request/gate.h"
#include "request/lookup.h"
#include "request/newcomer.h"
#include "sync/atomic.h"

static enum handler_result refuse(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                  const struct hit *hit, enum api_refusal why)
{
    /* Whoever writes a badge into a page learns what is wrong with it; whoever looks at the page sees an image. */
    bool is_badges = why == API_REFUSED_BAD_LABEL || why == API_REFUSED_BAD_COLOR || why == API_REFUSED_BAD_FORMAT;
    if (hit->form == HIT_PLAIN || is_badges)
        answer_refusal(aw, r, reply, why);
    else
        hit_answer_refused_image(aw, r, reply, hit, why);
    return HANDLED;
}

/* `error`: of the path. A key in the path and another in the query: nobody knows which of them is meant.
 * Not inlined, so that a hit without a query needs no registers for it. */
static __attribute__((noinline)) enum api_refusal hit_read_query(const struct http_request *r, struct slice path,
                                                                 enum name_error error, struct hit *hit)
{
    if (error != NAME_OK && error != NAME_NO_KEY)
        return refusal_of_name(error);
    enum api_refusal why = hit_query_read(r->query, &hit->query);
    if (why != API_ALLOWED)
        return why;
    if (error == NAME_OK && hit->query.key.at)
        return API_REFUSED_BAD_QUERY;
    if (error == NAME_NO_KEY) {
        error = name_from_query(path, hit->query.key, hit->scratch, &hit->name);
        if (error != NAME_OK)
            return refusal_of_name(error);
    }
    return hit->form != HIT_PLAIN ? hit_image_check(hit) : API_ALLOWED;
}

/* API_ALLOWED: the hit is well-formed. */
static enum api_refusal hit_read(const struct http_request *r, struct slice path, struct hit *hit)
{
    enum name_error error = name_from_path(path, hit->scratch, &hit->name);
    if (!r->query.at)
        return error == NAME_OK ? API_ALLOWED : refusal_of_name(error);
    return hit_read_query(r, path, error, hit);
}

/* API_ALLOWED: it is counted. */
static enum api_refusal hit_admit(struct api_worker *aw, const struct http_request *r, const struct reply *reply,
                                  const struct hit *hit)
{
    enum api_refusal why = gate_is_open(aw) ? API_ALLOWED : gate_check(aw, r, reply, hit->name);
    if (why != API_ALLOWED)
        return why;
    if (r->method == HTTP_HEAD)
        return API_REFUSED_HEAD; /* safe by definition: it counts nothing */
    return hit_take(aw, r, reply, hit->name, hit->query.n);
}

static enum handler_result answer_counted(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                          const struct http_template *template, int status)
{
    http_template_append(template, r, reply->close, reply->out);
    answer_count(aw, status);
    return HANDLED;
}

static enum handler_result answer_special(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                          const struct hit *hit)
{
    if (hit->form == HIT_GIF)
        return answer_counted(aw, r, reply, aw->pixel, 200);
    if (hit->form == HIT_SVG)
        return hit_answer_badge(aw, r, reply, hit, API_ALLOWED);
    if (hit->query.wants_value)
        return hit_answer_value(aw, r, reply, hit, API_ALLOWED);
    if (hit->query.wants_stored)
        return hit_answer_stored(aw, r, reply, hit);
    return answer_counted(aw, r, reply, aw->counted, 204);
}

/* In the form of one that was counted: whoever is not counted sees the number all the same. */
static enum handler_result answer_filtered(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                           const struct hit *hit, enum api_refusal why)
{
    bool wants_value = r->query.at && hit->query.wants_value;
    if (hit->form == HIT_PLAIN && !wants_value) {
        answer_refusal(aw, r, reply, why);
        return HANDLED;
    }
    refusal_count(aw, why);
    if (hit->form == HIT_PLAIN)
        return hit_answer_value(aw, r, reply, hit, why);
    if (hit->form == HIT_SVG)
        return hit_answer_badge(aw, r, reply, hit, why);
    hit_answer_pixel_of(aw, r, reply, why);
    return HANDLED;
}

/* Whatever needs more than the precomputed answer. */
static __attribute__((noinline)) enum handler_result answer_form(struct api_worker *aw, const struct http_request *r,
                                                                 struct reply *reply, const struct hit *hit,
                                                                 enum api_refusal why)
{
    if (why != API_ALLOWED && !refusal_is_filter(why))
        return refuse(aw, r, reply, hit, why);
    return why == API_ALLOWED ? answer_special(aw, r, reply, hit) : answer_filtered(aw, r, reply, hit, why);
}

enum handler_result route_hit(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                              struct slice path)
{
    struct hit hit;
    hit.form = hit_form_take(&path);
    bool special = hit.form != HIT_PLAIN || r->query.at;
    hit.query.n = 1;
    if (special)
        hit.query = (struct hit_query){.n = 1};

    if (r->method > HTTP_POST) { /* GET, HEAD and POST come first */
        answer_method(aw, r, reply, "GET, HEAD, POST, OPTIONS");
        return HANDLED;
    }
    enum api_refusal why = hit_read(r, path, &hit);
    if (why != API_ALLOWED)
        return refuse(aw, r, reply, &hit, why);
    why = hit_admit(aw, r, reply, &hit);
    if (!special && why == API_ALLOWED)
        return answer_counted(aw, r, reply, aw->counted, 204);
    return answer_form(aw, r, reply, &hit, why);
}
