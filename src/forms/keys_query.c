#include "forms/keys_query.h"

#include "forms/cursor.h"
#include "http/request.h"

static bool limit_read(struct slice text, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || value > SCAN_LIMIT_MAX)
            return false;
        value = value * 10 + (uint32_t)(text.at[i] - '0');
    }
    *out = value;
    return value >= 1 && value <= SCAN_LIMIT_MAX;
}

/* It may be empty, or end within a character of UTF-8; else it is a key. */
static bool prefix_read(struct keys_query *q, struct slice raw)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    if (raw.bytes == 0)
        return true;
    if (name_from_query((struct slice){q->begins, q->ns_bytes}, raw, scratch, &name) != NAME_OK)
        return false;
    memcpy(q->begins, name.at, name.bytes);
    q->begins_bytes = (uint32_t)name.bytes;
    return true;
}

struct parameters {
    struct slice prefix, limit, cursor;
};

/* NULL, or the token for the one that stands twice. */
static const char *parameters_take(struct parameters *p, struct slice query)
{
    struct slice name, value;
    while (query.at && http_query_next(&query, &name, &value)) {
        struct slice *at = slice_equals(name, SLICE("prefix"))   ? &p->prefix
                           : slice_equals(name, SLICE("limit"))  ? &p->limit
                           : slice_equals(name, SLICE("cursor")) ? &p->cursor
                                                                 : NULL;
        if (at && at->at)
            return at == &p->prefix ? "bad_prefix" : at == &p->limit ? "bad_limit" : "bad_cursor";
        if (at)
            *at = value;
    }
    return NULL;
}

static bool ns_read(struct keys_query *q, struct slice path, const char **wrong)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;
    enum name_error error = name_from_query(path, SLICE("k"), scratch, &name);
    if (error != NAME_OK) {
        *wrong = name_error_text(error);
        return false;
    }
    memcpy(q->begins, name.at, name.bytes - 1);
    q->begins_bytes = (uint32_t)name.bytes - 1;
    q->ns_bytes = q->begins_bytes - 1;
    return true;
}

const char *keys_query_read(struct keys_query *q, struct slice path, struct slice query, uint32_t limit,
                            const char **detail)
{
    struct parameters p = {0};
    const char *wrong;
    *q = (struct keys_query){.limit = limit};
    *detail = "the path ends in a namespace, which is 1 to 64 of A-Z a-z 0-9 _ . -";
    if (!ns_read(q, path, &wrong))
        return wrong;
    wrong = parameters_take(&p, query);
    *detail = "prefix, limit and cursor stand once each at most";
    if (wrong)
        return wrong;
    *detail = "a prefix is what keys begin with: at most 256 bytes, no control bytes and no { or }";
    if (!prefix_read(q, p.prefix))
        return "bad_prefix";
    *detail = "limit is 1 to 1000, in digits";
    if (p.limit.at && !limit_read(p.limit, &q->limit))
        return "bad_limit";
    *detail = "a cursor is what the page before said, unchanged";
    if (p.cursor.at && !cursor_read(p.cursor, &q->place))
        return "bad_cursor";
    return NULL;
}
