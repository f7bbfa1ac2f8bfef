#pragma once
/* JSON (RFC 8259): writing it into a buffer, and reading it by jansson. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct json_t; /* jansson.h */

#define JSON_MEMBERS_MAX 16 /* of one object */
#define JSON_DEPTH_MAX 16

/* Called once, before the first read, any other thread, and the sandbox. Later no file can be opened for randomness,
 * and jansson would take the time and the process's number as the seed of its hash. Returns 0 or -errno. */
int json_init(void);
/* Returns the value, which is the caller's (json_decref()). Returns NULL when it is no JSON, has a name twice in an
 * object or more members or depth than the two bounds above, or without memory. Only then `no_memory` is set, which
 * jansson alone does not tell. Any thread. */
struct json_t *json_read(struct slice text, bool *no_memory);

/* Returns whether the text stays within both bounds. It need not be JSON. One pass, no allocation. Without it 64 KiB of
 * members whose hashes collide would cost a second. */
bool json_is_bounded(struct slice text);

/* Returns the text without the byte order mark that some programs write in front, and that a reader may ignore (RFC
 * 8259 section 8.1).
 */
struct slice json_skip_mark(struct slice text);
/* Returns whether `text`, a string in its quotes, is `word`, also where characters of it are escaped. */
bool json_string_is(struct slice text, struct slice word);
/* Returns the name of a member that is none of `names`, which ends with NULL. at == NULL when there is none. It lies in
 * `object`. */
struct slice json_stranger(struct json_t *object, const char *const *names);

/* Reads a number that JSON Schema calls an integer, such as 5 and 5.0. Returns false when it is none, or none of 64
 * bits.
 */
bool json_read_whole(const struct json_t *value, int64_t *out);

/* Appends {"ns","key","value"} and a line end, of an internal name. */
void json_append_counter(struct buf *b, struct slice name, int64_t value);
/* Appends the text quoted and escaped. Bytes that are not UTF-8 become U+FFFD. */
void json_append_string(struct buf *b, struct slice text);
/* "2026-11-21T01:30:00.123Z" in quotes (RFC 3339). */
void json_append_time(struct buf *b, int64_t wall_ms);
