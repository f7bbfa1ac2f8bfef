#pragma once
/* Who may do what needs a token.
 *
 * Thread: the worker's. */

#include "policy/tokens.h"
#include "request/api_worker.h"

/* May who asks do that in this namespace? The admin port may read. Returns false when it is answered 401 or 403. */
bool right_check(struct api_worker *aw, const struct http_request *r, struct reply *reply, enum token_right right,
                 struct slice ns);
/* May who asks read in some namespace? `*out` is for right_reads(). Returns false when it is answered likewise. */
bool right_find(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct token **out);
/* May it read in this namespace, or with an empty `ns` in every one? */
bool right_reads(const struct token *token, struct slice ns);
