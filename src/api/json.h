#pragma once
/* Writing JSON (RFC 8259) into a buffer. Reading it is jansson's. */

#include "base/buf.h"
#include "base/slice.h"

/* Quoted and escaped; bytes that are not UTF-8 become U+FFFD. */
void json_append_string(struct buf *b, struct slice text);
/* "2026-11-21T01:30:00.123Z" in quotes (RFC 3339). */
void json_append_time(struct buf *b, int64_t wall_ms);
