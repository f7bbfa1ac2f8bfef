#pragma once
/* Names of counters and the rules they obey (DESIGN 4.5).
 *
 * Thread: pure functions.
 * A name is "ns/key" in one run of bytes. A namespace has no '/', so the first one separates, and a request path can be
 * used in place. The Redis key is "<prefix><ns>:<key>" (owed/keyspace.h).
 *   ns   1…64 bytes of A-Z a-z 0-9 _ . - so it cannot start with '!'
 *   key  1…256 bytes after one percent-decoding, without control bytes (0x00–0x1f, 0x7f), '{' and '}' */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define NAME_NS_BYTES_MAX 64
#define NAME_KEY_BYTES_MAX 256
#define NAME_BYTES_MAX (NAME_NS_BYTES_MAX + 1 + NAME_KEY_BYTES_MAX)

enum name_error {
    NAME_OK,
    NAME_BAD_NS,
    NAME_BAD_KEY,
    NAME_NO_KEY,     /* the namespace stands alone */
    NAME_TOO_LONG,   /* the namespace or the key */
    NAME_BAD_ESCAPE, /* '%' not followed by two hex digits */
};

/* Reads a raw path "ns/key". Both parts may be percent-encoded, and obey the rules after decoding. The key is
 * everything after the first '/', further '/' included. On NAME_OK `*name` points into `raw` when nothing was encoded,
 * else into `scratch`. */
enum name_error name_from_path(struct slice raw, char scratch[NAME_BYTES_MAX], struct slice *name);
/* Reads the raw namespace of a path and the raw value of a query, as in "ns?key=…", where '+' is a space. The namespace
 * may end in one '/'. */
enum name_error name_from_query(struct slice ns, struct slice key, char scratch[NAME_BYTES_MAX], struct slice *name);
/* Reads the two parts as they stand, as in JSON. */
enum name_error name_from_parts(struct slice ns, struct slice key, char scratch[NAME_BYTES_MAX], struct slice *name);
/* Checks a namespace alone, raw from a path. */
enum name_error name_check_ns(struct slice ns);
const char *name_error_text(enum name_error e); /* "bad_namespace" and so on, for X-Hit-Status and JSON */

struct slice name_ns(struct slice name);
struct slice name_key(struct slice name);

/* ---- totals of namespaces (owed/sums.h) ---- */
/* The total of a namespace in a partition has the name "!total/<partition>/<ns>" where names are read, which no counter
 * can have. Writes it, and returns it. */
struct slice name_of_total(uint32_t partition, struct slice ns, char out[NAME_BYTES_MAX]);
/* Returns false when it is another name. */
bool name_total_read(struct slice name, uint32_t *partition, struct slice *ns);

/* ---- the highest keys of namespaces (tally/tops.h), likewise. "!top/<partition>/<ns>" ---- */
struct slice name_of_top(uint32_t partition, struct slice ns, char out[NAME_BYTES_MAX]);
bool name_top_read(struct slice name, uint32_t *partition, struct slice *ns);
