#pragma once
/* A page of names, asked of the flusher: for lists, and for what is done to each name of a page.
 *
 * Thread: the worker's. */

#include "api/ask.h"
#include "api/keys_query.h"

/* The request waits for the page that the query names. false: it is answered 503. */
bool walk_begin(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct keys_query *q,
                ask_resume_fn *resume);
/* Of a request that is resumed: the page; or NULL, and it is answered 503. */
struct scan *walk_page(struct api_worker *aw, const struct http_request *r, struct reply *reply);
/* After a page: the next one is asked for, and this one forgotten. */
bool walk_again(struct api_worker *aw, struct reply *reply);
/* Where the next page begins, in quotes, or null. */
void walk_append_cursor(struct buf *b, const struct scan *scan);
