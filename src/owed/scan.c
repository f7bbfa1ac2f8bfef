#include "owed/scan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crc32c.h"

struct scan *scan_create(struct slice begins, uint32_t limit)
{
    struct scan *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    memcpy(s->begins, begins.at, begins.bytes);
    s->begins_bytes = (uint16_t)begins.bytes;
    s->limit = limit;
    return s;
}

void scan_destroy(struct scan *s)
{
    if (!s)
        return;
    buf_fini(&s->text);
    free(s->names);
    free(s);
}

void scan_clear(struct scan *s)
{
    s->count = 0;
    buf_clear(&s->text);
}

struct slice scan_name_at(const struct scan *s, uint32_t i)
{
    return (struct slice){s->text.data + s->names[i].at, s->names[i].bytes};
}

bool scan_begins(const struct scan *s, struct slice name)
{
    return name.bytes >= s->begins_bytes && memcmp(name.at, s->begins, s->begins_bytes) == 0;
}

static bool scan_grow(struct scan *s)
{
    uint32_t capacity = s->capacity ? 2 * s->capacity : 256;
    struct scan_name *names = realloc(s->names, capacity * sizeof(*names));
    if (!names)
        return false;
    s->names = names;
    s->capacity = capacity;
    return true;
}

int scan_add(struct scan *s, struct slice name)
{
    if (s->count == s->capacity && !scan_grow(s))
        return -ENOMEM;
    s->names[s->count] = (struct scan_name){.at = (uint32_t)s->text.bytes, .bytes = (uint16_t)name.bytes};
    buf_append_slice(&s->text, name);
    if (s->text.failed)
        return -ENOMEM;
    s->count++;
    return 0;
}

static int names_compare(const void *a, const void *b, void *text)
{
    const struct scan_name *x = a, *y = b;
    size_t bytes = x->bytes < y->bytes ? x->bytes : y->bytes;
    int order = memcmp((const char *)text + x->at, (const char *)text + y->at, bytes);
    return order ? order : (int)x->bytes - (int)y->bytes;
}

static void names_unique(struct scan *s, uint32_t first)
{
    uint32_t kept = first;
    for (uint32_t i = first; i < s->count; i++)
        if (kept == first || names_compare(&s->names[kept - 1], &s->names[i], s->text.data) != 0)
            s->names[kept++] = s->names[i];
    s->count = kept;
}

static uint32_t names_sum(const struct scan *s, uint32_t first, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = first; i < first + count; i++) {
        sum = crc32c(sum, scan_name_at(s, i).at, s->names[i].bytes);
        sum = crc32c(sum, "", 1); /* no name holds a NUL */
    }
    return sum;
}

/* The table may have been resized since, and then the answer to the same cursor holds other names: all are shown. */
static uint32_t names_shown(const struct scan *s, uint32_t first)
{
    uint32_t taken = s->place.taken;
    return taken <= s->count - first && names_sum(s, first, taken) == s->place.sum ? taken : 0;
}

bool scan_settle(struct scan *s, uint32_t first)
{
    if (s->count > first)
        qsort_r(&s->names[first], s->count - first, sizeof(*s->names), names_compare, s->text.data);
    names_unique(s, first);
    uint32_t shown = names_shown(s, first), fresh = s->count - first - shown, room = s->limit - first;
    bool all = fresh <= room;
    uint32_t taken = all ? fresh : room;
    s->place.taken = all ? 0 : shown + taken;
    s->place.sum = all ? 0 : names_sum(s, first, shown + taken);
    if (taken) /* there may be no names at all yet */
        memmove(&s->names[first], &s->names[first + shown], taken * sizeof(*s->names));
    s->count = first + taken;
    return all;
}
