#include "moving/entry.h"

#include "nodes/scan_names.h"

static const struct slice total_begins = {"!total:", 7};
static const struct slice ledger_begins = {"!ledger:", 8};
static const struct slice mark_begins = {"!moved:", 7};

static struct slice behind(struct slice text, size_t bytes)
{
    return (struct slice){text.at + bytes, text.bytes - bytes};
}

static bool entry_of_total(const struct keyspace *from, struct slice text, struct entry *out)
{
    struct slice rest = behind(text, total_begins.bytes);
    size_t digits = 0;

    out->from = 0;
    for (; digits < rest.bytes && digits < 3 && rest.at[digits] >= '0' && rest.at[digits] <= '9'; digits++)
        out->from = out->from * 10 + (uint32_t)(rest.at[digits] - '0');
    out->total = true;
    return digits > 0 && out->from < from->partitions && digits < rest.bytes && rest.at[digits] == ':' &&
           name_check_ns(behind(rest, digits + 1)) == NAME_OK;
}

/* The rules for names say what a counter is, and its hash where it belongs. */
static bool entry_of_counter(const struct keyspace *from, const struct keyspace *to, struct slice text,
                             struct entry *out)
{
    char scratch[NAME_BYTES_MAX];
    const char *colon = memchr(text.at, ':', text.bytes);
    struct slice name;

    if (!colon || name_from_parts((struct slice){text.at, (size_t)(colon - text.at)},
                                  behind(text, (size_t)(colon + 1 - text.at)), scratch, &name) != NAME_OK)
        return false;
    out->total = false;
    out->from = keyspace_partition(from, name);
    out->to = keyspace_partition(to, name);
    return true;
}

static bool entry_read(const struct keyspace *from, const struct keyspace *to, struct slice text, struct entry *out)
{
    out->text = text;
    if (!slice_begins_with(text, total_begins))
        return entry_of_counter(from, to, text, out);
    if (!entry_of_total(from, text, out))
        return false;
    out->to = out->from % to->partitions;
    return true;
}

/* at == NULL: it is not of this data set. */
static struct slice text_of_key(const struct keyspace *space, struct slice key)
{
    if (key.bytes < space->prefix_bytes || memcmp(key.at, space->prefix, space->prefix_bytes) != 0)
        return (struct slice){0};
    if (!space->tagged)
        return behind(key, space->prefix_bytes);
    const char *end = memchr(key.at + space->prefix_bytes, '}', key.bytes - space->prefix_bytes);
    return end ? behind(key, (size_t)(end + 1 - key.at)) : (struct slice){0};
}

/* Is what stands in front of `text` the prefix of that partition? */
static bool is_at_home(const struct keyspace *space, uint32_t partition, struct slice key, struct slice text)
{
    return slice_equals(keyspace_prefix(space, partition), (struct slice){key.at, (size_t)(text.at - key.at)});
}

enum entry_kind entry_of_key(const struct keyspace *from, const struct keyspace *to, struct slice key,
                             struct entry *out)
{
    struct slice text = text_of_key(from, key);

    if (!text.at)
        return ENTRY_NONE;
    if (slice_begins_with(text, ledger_begins))
        return ENTRY_LEDGER;
    return entry_read(from, to, text, out) && is_at_home(from, out->from, key, text) ? ENTRY_THERE : ENTRY_NONE;
}

bool entry_of_mark(const struct keyspace *from, const struct keyspace *to, struct slice key, struct entry *out)
{
    struct slice text = text_of_key(to, key);

    return text.at && slice_begins_with(text, mark_begins) &&
           entry_read(from, to, behind(text, mark_begins.bytes), out) && is_at_home(to, out->to, key, text);
}

void entry_append_old(struct buf *out, const struct keyspace *from, const struct entry *e)
{
    buf_append_slice(out, keyspace_prefix(from, e->from));
    buf_append_slice(out, e->text);
}

void entry_append_new(struct buf *out, const struct keyspace *to, const struct entry *e)
{
    struct slice prefix = keyspace_prefix(to, e->to);

    if (!e->total) {
        buf_append_slice(out, prefix);
        buf_append_slice(out, e->text);
        return;
    }
    struct slice rest = behind(e->text, total_begins.bytes);
    const char *colon = memchr(rest.at, ':', rest.bytes);
    keyspace_append_total_key(out, prefix, e->to, behind(rest, (size_t)(colon + 1 - rest.at)));
}

void entry_append_mark(struct buf *out, const struct keyspace *to, const struct entry *e)
{
    buf_append_slice(out, keyspace_prefix(to, e->to));
    buf_append_slice(out, mark_begins);
    buf_append_slice(out, e->text);
}

void entry_append_state(struct buf *out, const struct keyspace *to, uint32_t partition)
{
    buf_append_slice(out, keyspace_prefix(to, partition));
    buf_append_slice(out, SLICE("!move:"));
    buf_append_u64(out, partition);
}

void entry_append_pattern(struct buf *out, const struct keyspace *space, struct slice text)
{
    scan_append_escaped(out, (struct slice){space->prefix, space->prefix_bytes});
    if (space->tagged)
        buf_append_slice(out, SLICE("{*}"));
    scan_append_escaped(out, text);
    buf_append(out, "*", 1);
}
