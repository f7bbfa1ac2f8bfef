#pragma once
/* What a request for the names of a namespace asks: /v1/keys/{ns}?prefix=&limit=&cursor=.
 *
 * Thread: pure functions. */

#include "flush/mailbox.h"

#define KEYS_LIMIT 100                    /* without ?limit= */
#define KEYS_LIMIT_DELETED SCAN_LIMIT_MAX /* likewise */

struct keys_query {
    char begins[NAME_BYTES_MAX]; /* "ns/" and the prefix */
    uint32_t begins_bytes, ns_bytes;
    uint32_t limit;
    uint32_t pause_percent; /* of the time that the store takes for an answer, before the next question */
    struct scan_place place;
};

/* `path` is what stands behind "/v1/keys/". Returns NULL, or the token of what is wrong, with a sentence in `*detail`.
 * `limit` holds without ?limit=. Each parameter stands once at most, and others than these are ignored. */
const char *keys_query_read(struct keys_query *q, struct slice path, struct slice query, uint32_t limit,
                            const char **detail);
static inline struct slice keys_query_ns(const struct keys_query *q) { return (struct slice){q->begins, q->ns_bytes}; }
