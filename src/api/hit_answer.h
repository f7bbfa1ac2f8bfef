#pragma once
/* The answers to a hit other than the plain 204: the number, an image, or that it is stored.
 *
 * Thread: the worker's. */

#include "forms/hit_query.h"
#include "http/response.h"
#include "request/api_worker.h"

/* A hit on its way through its route. */
struct hit {
    enum hit_form form;
    struct hit_query query;
    struct slice name; /* in the request's path or in `scratch` */
    char scratch[NAME_BYTES_MAX];
};

/* The pixel that says a hit was counted, for http_template_create(). */
struct http_response hit_answer_pixel(void);
/* Returns API_ALLOWED when what the query says of an image is well. */
enum api_refusal hit_image_check(const struct hit *hit);
/* Answers an image all the same, with 200, because a browser shows no other. */
void hit_answer_refused_image(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                              const struct hit *hit, enum api_refusal why);
/* `why` is API_ALLOWED of a hit that was counted, or the filter that it met. Who is not counted sees the number. */
void hit_answer_pixel_of(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                         enum api_refusal why);
enum handler_result hit_answer_badge(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     const struct hit *hit, enum api_refusal why);
enum handler_result hit_answer_value(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                     const struct hit *hit, enum api_refusal why);
/* Waits for the flush that stores the hit, two flush intervals and a second, at most half a minute. Then 202 says
 * that the hit is counted and not known to be stored. */
enum handler_result hit_answer_stored(struct api_worker *aw, const struct http_request *r, struct reply *reply,
                                      const struct hit *hit);
