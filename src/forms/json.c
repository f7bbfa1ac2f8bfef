#include "forms/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "base/utf8.h"
#include "tally/name.h"

static _Thread_local bool allocation_failed;

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    allocation_failed |= !memory;
    return memory;
}

int json_init(void)
{
    size_t seed;
    int failed = random_bytes(&seed, sizeof(seed));
    if (failed)
        return failed;
    json_object_seed(seed | 1); /* 0 would let jansson draw one */
    json_set_alloc_funcs(allocate, free);
    return 0;
}

/* Behind the closing quote of a string whose first byte is `at`. */
static const char *string_skip(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += 1 + (*at == '\\' && at + 1 < end);
    return at < end ? at + 1 : end;
}

bool json_is_bounded(struct slice text)
{
    unsigned members[JSON_DEPTH_MAX + 1] = {0}, depth = 0;
    const char *at = text.at, *end = text.at + text.bytes;
    while (at < end) {
        char c = *at++;
        if (c == '"')
            at = string_skip(at, end);
        else if ((c == '{' || c == '[') && ++depth <= JSON_DEPTH_MAX)
            members[depth] = 0;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        else if (c == ':')
            members[depth]++;
        if (depth > JSON_DEPTH_MAX || members[depth] > JSON_MEMBERS_MAX)
            return false;
    }
    return true;
}

struct json_t *json_read(struct slice text, bool *no_memory)
{
    *no_memory = allocation_failed = false;
    if (text.bytes > 0 && !json_is_bounded(text))
        return NULL;
    json_t *value = json_loadb(text.at ? text.at : "", text.bytes, JSON_REJECT_DUPLICATES, NULL);
    *no_memory = !value && allocation_failed;
    return value;
}

struct slice json_skip_mark(struct slice text)
{
    bool marked = text.bytes >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0;
    return marked ? (struct slice){text.at + 3, text.bytes - 3} : text;
}

bool json_string_is(struct slice text, struct slice word)
{
    if (!memchr(text.at, '\\', text.bytes))
        return slice_equals((struct slice){text.at + 1, text.bytes - 2}, word);
    json_t *string = json_loadb(text.at, text.bytes, JSON_DECODE_ANY, NULL);
    bool same = slice_equals((struct slice){json_string_value(string), json_string_length(string)}, word);
    json_decref(string);
    return same;
}

struct slice json_stranger(struct json_t *object, const char *const *names)
{
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *name = json_object_iter_key(i), *const *known = names;
        while (*known && strcmp(*known, name) != 0)
            known++;
        if (!*known)
            return (struct slice){name, strlen(name)};
    }
    return (struct slice){0};
}

bool json_read_whole(const struct json_t *value, int64_t *out)
{
    double real = json_real_value(value);
    if (json_is_integer(value))
        *out = json_integer_value(value);
    else if (json_is_real(value) && real >= -0x1p63 && real < 0x1p63 && (double)(int64_t)real == real)
        *out = (int64_t)real;
    else
        return false;
    return true;
}

static void append_char(struct buf *b, struct slice c)
{
    unsigned char first = (unsigned char)c.at[0];
    if (first == '"' || first == '\\')
        buf_printf(b, "\\%c", first);
    else if (first < 0x20)
        buf_printf(b, "\\u%04x", first);
    else
        buf_append_slice(b, c);
}

void json_append_string(struct buf *b, struct slice text)
{
    buf_append(b, "\"", 1);
    while (text.bytes > 0) {
        size_t bytes = utf8_char_bytes(text);
        if (bytes > 0)
            append_char(b, (struct slice){text.at, bytes});
        else
            buf_append_slice(b, SLICE("\\ufffd"));
        bytes += bytes == 0;
        text.at += bytes;
        text.bytes -= bytes;
    }
    buf_append(b, "\"", 1);
}

void json_append_time(struct buf *b, int64_t wall_ms)
{
    time_t seconds = wall_ms / 1000;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(b, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
               tm.tm_min, tm.tm_sec, (int)(wall_ms % 1000));
}

void json_append_counter(struct buf *b, struct slice name, int64_t value)
{
    buf_append_slice(b, SLICE("{\"ns\":"));
    json_append_string(b, name_ns(name));
    buf_append_slice(b, SLICE(",\"key\":"));
    json_append_string(b, name_key(name));
    buf_append_slice(b, SLICE(",\"value\":"));
    buf_append_i64(b, value);
    buf_append_slice(b, SLICE("}\n"));
}
