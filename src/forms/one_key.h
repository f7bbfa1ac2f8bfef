#pragma once
/* The one key that a request is about. It stands behind the namespace in its path, or as ?key=, and never in both.
 *
 * Thread: pure functions. */

#include "http/request.h"
#include "tally/name.h"

#define ONE_KEY_DETAIL "one key is expected, in the path or as ?key=, not in both"

/* Returns NULL, or the token of what is wrong. `error` says what is wrong with the name itself. It is NAME_OK when
 * there is more than one key ("too_many_keys"). */
const char *one_key_read(const struct http_request *r, struct slice path, char scratch[NAME_BYTES_MAX],
                         struct slice *name, enum name_error *error);
