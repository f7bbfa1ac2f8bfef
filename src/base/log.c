#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define TAIL_BYTES 32 /* kept free for a closing quote, the mark of truncation and the line end */
#define BODY_BYTES_MAX (LOG_LINE_BYTES_MAX - TAIL_BYTES)

struct line {
    char text[LOG_LINE_BYTES_MAX];
    size_t bytes;
    bool full;
    enum log_format format;
};

/* The one piece of global state: written before the first thread, only read afterwards. Passing a
 * logger through every layer would buy nothing, as there is one standard error. */
static struct {
    enum log_level level;
    enum log_format format;
} log_config = {LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT};

void log_init(enum log_level level, enum log_format format)
{
    log_config.level = level;
    log_config.format = format;
}

bool log_enabled(enum log_level level) { return level <= log_config.level; }

/* Appends all of it or nothing: an escape is never cut in two. After the first that does not fit, nothing more is
 * taken but line_end()'s. */
static void line_put(struct line *l, const char *text, size_t bytes)
{
    if (l->full || l->bytes + bytes > BODY_BYTES_MAX) {
        l->full = true;
        return;
    }
    memcpy(l->text + l->bytes, text, bytes);
    l->bytes += bytes;
}

__attribute__((format(printf, 2, 3))) static void line_printf(struct line *l, const char *format, ...)
{
    char text[128];
    va_list args;

    va_start(args, format);
    int bytes = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert(bytes >= 0 && (size_t)bytes < sizeof(text)); /* names of events and fields are short literals */
    line_put(l, text, (size_t)bytes);
}

/* Into the tail, which is always free. */
static void line_end(struct line *l, const char *text)
{
    size_t bytes = strlen(text);

    memcpy(l->text + l->bytes, text, bytes);
    l->bytes += bytes;
}

/* How many bytes at `s` can stand as they are between quotes: one whole character, or 0. */
static size_t plain_bytes(struct slice s)
{
    uint8_t first = (uint8_t)s.at[0];
    size_t bytes = utf8_char_bytes(s);

    if (first < 0x20 || first == 0x7f || first == '"' || first == '\\')
        return 0;
    if (bytes == 2 && first == 0xc2 && (uint8_t)s.at[1] < 0xa0)
        return 0; /* C1 controls: some terminals obey them */
    return bytes;
}

static void line_put_escape(struct line *l, uint8_t byte)
{
    if (byte == '"' || byte == '\\')
        line_printf(l, "\\%c", byte);
    else if (byte == '\n')
        line_printf(l, "\\n");
    else if (l->format == LOG_FORMAT_LOGFMT)
        line_printf(l, "\\x%02x", byte);
    else /* JSON has no escape for a byte that is no character */
        line_printf(l, byte < 0x80 ? "\\u%04x" : "\\ufffd", byte);
}

static void line_put_chars(struct line *l, struct slice s)
{
    while (s.bytes && !l->full) {
        size_t plain = plain_bytes(s);
        size_t used = plain ? plain : 1;

        if (plain)
            line_put(l, s.at, plain);
        else
            line_put_escape(l, (uint8_t)*s.at);
        s = (struct slice){s.at + used, s.bytes - used};
    }
}

static bool needs_quotes(struct slice s)
{
    for (size_t i = 0; i < s.bytes; i++)
        if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("\"=\\", s.at[i]))
            return true;
    return s.bytes == 0;
}

/* The name goes in together with the opening quote or the number, so that a full line has no half field. */
static void line_put_field(struct line *l, const struct log_field *field)
{
    struct slice text = {field->text, field->text_bytes};
    bool json = l->format == LOG_FORMAT_JSON;
    bool quoted = field->text && (json || needs_quotes(text));

    if (!field->text) {
        line_printf(l, json ? ",\"%s\":%" PRId64 : " %s=%" PRId64, field->name, field->number);
        return;
    }
    line_printf(l, json ? ",\"%s\":\"" : quoted ? " %s=\"" : " %s=", field->name);
    if (l->full)
        return;
    line_put_chars(l, text);
    if (quoted)
        line_end(l, "\"");
}

static void line_start(struct line *l, enum log_level level, const char *event)
{
    static const char *const level_names[] = {"error", "warn", "info", "debug"};
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char time_text[32];

    gmtime_r(&seconds, &utc);
    strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%S", &utc);
    line_printf(l,
                l->format == LOG_FORMAT_JSON ? "{\"ts\":\"%s.%03dZ\",\"level\":\"%s\",\"event\":\"%s\""
                                             : "ts=%s.%03dZ level=%s event=%s",
                time_text, (int)(now_ms % 1000), level_names[level], event);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    if (!log_enabled(level))
        return;

    struct line l;
    l.bytes = 0;
    l.full = false;
    l.format = log_config.format;
    line_start(&l, level, event);
    for (; fields->name && !l.full; fields++)
        line_put_field(&l, fields);
    if (l.full)
        line_end(&l, l.format == LOG_FORMAT_JSON ? ",\"truncated\":true" : " truncated=true");
    line_end(&l, l.format == LOG_FORMAT_JSON ? "}\n" : "\n");
    while (write(STDERR_FILENO, l.text, l.bytes) < 0 && errno == EINTR)
        continue;
}

struct log_field log_str(const char *name, const char *text) { return log_bytes(name, text, strlen(text)); }

struct log_field log_bytes(const char *name, const char *text, size_t bytes)
{
    /* An empty slice may have no address; NULL would make it a number. */
    return (struct log_field){.name = name, .text = text ? text : "", .text_bytes = bytes};
}

struct log_field log_num(const char *name, int64_t number)
{
    return (struct log_field){.name = name, .number = number};
}

struct log_field log_err(int negative_errno)
{
    const char *text = strerrorname_np(-negative_errno);

    return text ? log_str("err", text) : log_num("err", negative_errno);
}
