#include "forms/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "tally/name.h"

static void append_field(struct buf *b, struct slice text)
{
    bool plain = true;
    for (size_t i = 0; i < text.bytes && plain; i++)
        plain = !memchr(",\"\r\n", text.at[i], 4);
    if (plain) {
        buf_append_slice(b, text);
        return;
    }
    buf_append(b, "\"", 1);
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] == '"')
            buf_append(b, "\"", 1);
        buf_append(b, &text.at[i], 1);
    }
    buf_append(b, "\"", 1);
}

void csv_append_counter(struct buf *b, struct slice name, int64_t value)
{
    append_field(b, name_ns(name));
    buf_append(b, ",", 1);
    append_field(b, name_key(name));
    buf_append(b, ",", 1);
    buf_append_i64(b, value);
    buf_append(b, "\r\n", 2);
}

/* How many bytes the first record has, with its line end; 0: that is not there. A quote opens and closes, whatever
 * field it stands in, so the end of a record is told before its fields are. */
static size_t record_bytes(const char *text, size_t bytes, bool last)
{
    bool quoted = false;
    for (size_t i = 0; i < bytes; i++) {
        quoted ^= text[i] == '"';
        if (text[i] == '\n' && !quoted)
            return i + 1;
    }
    return last ? bytes : 0;
}

/* A quoted field at `at`, unquoted in its place: where it ends; NULL: its quote is not closed. */
static char *quoted_take(char *at, char *end, struct slice *field)
{
    char *to = ++at, *from = at;
    for (; at < end; at++) {
        if (*at == '"' && (++at == end || *at != '"')) {
            *field = (struct slice){from, (size_t)(to - from)};
            return at;
        }
        *to++ = *at;
    }
    return NULL;
}

/* As it stands, up to the next comma; NULL: there is a quote in it. */
static char *plain_take(char *at, char *end, struct slice *field)
{
    char *comma = memchr(at, ',', (size_t)(end - at));
    char *stop = comma ? comma : end;
    *field = (struct slice){at, (size_t)(stop - at)};
    return memchr(at, '"', field->bytes) ? NULL : stop;
}

int csv_read(char *text, size_t bytes, bool last, struct csv_record *out)
{
    size_t whole = record_bytes(text, bytes, last), line = whole;
    if (whole == 0)
        return 0;
    if (text[line - 1] == '\n')
        line--;
    if (line > 0 && text[line - 1] == '\r')
        line--;
    *out = (struct csv_record){.bytes = whole};
    char *at = text, *end = text + line;
    while (line > 0) {
        struct slice field;
        at = at < end && *at == '"' ? quoted_take(at, end, &field) : plain_take(at, end, &field);
        if (!at || (at < end && *at != ','))
            return -EINVAL;
        if (out->count < CSV_FIELDS_MAX)
            out->fields[out->count++] = field;
        if (at == end)
            return 1;
        at++;
    }
    return 1;
}
