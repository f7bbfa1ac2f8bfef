#pragma once
/* A page of names, asked of the flusher. It serves lists, and what is done to each name of a page.
 *
 * Thread: the worker's. */

#include "flush/mailbox.h"
#include "forms/keys_query.h"
#include "request/ask.h"

/* Makes the request wait for the page that the query names. Returns false when it is answered 503. */
bool walk_begin(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct keys_query *q,
                ask_resume_fn *resume);
/* Returns the page to a request that is resumed, or NULL when it is answered 503. */
struct scan *walk_page(struct api_worker *aw, const struct http_request *r, struct reply *reply);
/* Asks for the next page, and forgets this one. */
bool walk_again(struct api_worker *aw, struct reply *reply);
/* Appends where the next page begins, in quotes, or null. */
void walk_append_cursor(struct buf *b, const struct scan *scan);
