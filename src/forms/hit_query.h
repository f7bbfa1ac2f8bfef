#pragma once
/* What the path and the query of a hit ask for. Pure: bytes in, values out. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "policy/reason.h"

enum hit_form {
    HIT_PLAIN, /* 204, or the number with value=1 */
    HIT_GIF,   /* "….gif" is an image of one transparent pixel */
    HIT_SVG,   /* "….svg" is a badge with the number */
};

struct hit_query {
    uint64_t n;
    bool wants_value;
    bool wants_stored;                              /* ack=stored */
    struct slice key;                               /* of "ns?key=…", raw. at == NULL when it is not given */
    struct slice label, color, label_color, format; /* of a badge, likewise */
};

#define HIT_SUFFIX_BYTES 4 /* ".gif" */
enum hit_form hit_suffix_take(struct slice *path);

/* Takes the suffix off the path. A key that ends in one itself is written with %2E. */
static inline enum hit_form hit_form_take(struct slice *path)
{
    bool dotted = path->bytes > HIT_SUFFIX_BYTES && path->at[path->bytes - HIT_SUFFIX_BYTES] == '.';
    return dotted ? hit_suffix_take(path) : HIT_PLAIN;
}
/* `out` holds the defaults. Returns API_ALLOWED when the query is well. Parameters that no form has are a page's own
 * business (cache busters, campaign names). */
enum api_refusal hit_query_read(struct slice query, struct hit_query *out);
