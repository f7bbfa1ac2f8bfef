#pragma once
/* JSON (RFC 8259): writing it into a buffer, and reading it by jansson. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct json_t; /* jansson.h */

/* Once, before the first read and any other thread. */
void json_init(void);
/* The value, the caller's (json_decref()), or NULL: no JSON, a name twice in an object, or, which jansson alone does
 * not tell, no memory: then `no_memory` is set. Any thread. */
struct json_t *json_read(struct slice text, bool *no_memory);

/* Quoted and escaped; bytes that are not UTF-8 become U+FFFD. */
void json_append_string(struct buf *b, struct slice text);
/* "2026-11-21T01:30:00.123Z" in quotes (RFC 3339). */
void json_append_time(struct buf *b, int64_t wall_ms);
