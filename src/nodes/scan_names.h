#pragma once
/* What SCAN is asked, and what its answers say.
 *
 * Thread: pure functions. */

#include "owed/keyspace.h"
#include "owed/scan.h"
#include "redis/resp.h"

/* Appends a text as a pattern that stands for itself. */
void scan_append_escaped(struct buf *out, struct slice text);
/* The pattern of keys whose names begin with `begins`, "ns/" and more. Source: the Redis command reference, KEYS: * ? [
 * ] and \ are special, and stand for themselves behind a \. */
void scan_pattern(struct buf *out, const struct keyspace *space, struct slice begins);
/* Adds the names of an answer to SCAN that belong to the partitions under way. Returns false when it is no such answer,
 * or without memory. A key that is no counter's is passed over. */
bool scan_names_read(struct scan *s, const struct keyspace *space, const struct reply *reply, uint64_t *cursor);
/* Reads the cursor of an answer to SCAN. */
bool scan_cursor_read(struct slice text, uint64_t *cursor);
/* Which process answers, from INFO server. Empty when the server does not say. */
struct slice scan_run_id(struct slice info);
