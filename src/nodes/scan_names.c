#include "nodes/scan_names.h"

void scan_append_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (memchr("*?[]\\", text.at[i], 5))
            buf_append(out, "\\", 1);
        buf_append(out, &text.at[i], 1);
    }
}

void scan_pattern(struct buf *out, const struct keyspace *space, struct slice begins)
{
    struct slice ns = name_ns(begins), key = name_key(begins);

    scan_append_escaped(out, (struct slice){space->prefix, space->prefix_bytes});
    if (space->tagged)
        buf_append_slice(out, SLICE("{*}"));
    scan_append_escaped(out, ns);
    buf_append(out, ":", 1);
    scan_append_escaped(out, key);
    buf_append(out, "*", 1);
}

/* What stands behind the prefix and the tag; at == NULL: that is none of ours. */
static struct slice key_behind_tag(const struct keyspace *space, struct slice key)
{
    size_t bytes = space->prefix_bytes;

    if (key.bytes < bytes || memcmp(key.at, space->prefix, bytes) != 0)
        return (struct slice){0};
    if (space->tagged) {
        const char *end = memchr(key.at, '}', key.bytes);
        if (!end)
            return (struct slice){0};
        bytes = (size_t)(end + 1 - key.at);
    }
    return (struct slice){key.at + bytes, key.bytes - bytes};
}

/* A name as it would have been counted, and in the partition where it would be. */
static bool name_of_key(const struct scan *s, const struct keyspace *space, struct slice key,
                        char scratch[NAME_BYTES_MAX], struct slice *name)
{
    struct slice ns = name_ns((struct slice){s->begins, s->begins_bytes}), rest = key_behind_tag(space, key);

    if (!rest.at || rest.bytes <= ns.bytes + 1 || memcmp(rest.at, ns.at, ns.bytes) != 0 || rest.at[ns.bytes] != ':')
        return false;
    rest = (struct slice){rest.at + ns.bytes + 1, rest.bytes - ns.bytes - 1};
    if (name_from_parts(ns, rest, scratch, name) != NAME_OK || !scan_begins(s, *name))
        return false;
    uint32_t partition = keyspace_partition(space, *name);
    struct slice prefix = keyspace_prefix(space, partition);
    return scan_bit(s->place.under_way, partition) && key.bytes == prefix.bytes + name->bytes &&
           memcmp(key.at, prefix.at, prefix.bytes) == 0;
}

bool scan_cursor_read(struct slice text, uint64_t *cursor)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.bytes; i++)
        if (text.at[i] < '0' || text.at[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.at[i] - '0'), &value))
            return false;
    *cursor = value;
    return text.bytes > 0;
}

bool scan_names_read(struct scan *s, const struct keyspace *space, const struct reply *reply, uint64_t *cursor)
{
    char scratch[NAME_BYTES_MAX];
    struct slice name;

    if (reply->type != REPLY_ARRAY || reply->items_count != 2 || reply->items[0].type != REPLY_STRING ||
        reply->items[1].type != REPLY_ARRAY || !scan_cursor_read(reply->items[0].text, cursor))
        return false;
    for (uint32_t i = 0; i < reply->items[1].items_count; i++) {
        const struct reply *key = &reply->items[1].items[i];
        if (key->type != REPLY_STRING)
            return false;
        if (name_of_key(s, space, key->text, scratch, &name) && scan_add(s, name) < 0)
            return false;
    }
    return true;
}

struct slice scan_run_id(struct slice info)
{
    static const struct slice field = {"run_id:", 7};
    const char *at = memmem(info.at, info.bytes, field.at, field.bytes);

    if (!at)
        return (struct slice){"", 0};
    at += field.bytes;
    size_t rest = (size_t)(info.at + info.bytes - at);
    const char *end = memchr(at, '\r', rest);
    return (struct slice){at, end ? (size_t)(end - at) : rest};
}
