#pragma once
/* Structured log lines on standard error, one write(2) each: logfmt or JSON.
 *
 *   ts=2026-11-21T01:44:45.123Z level=info event=started workers=2 io=uring
 *   {"ts":"2026-11-21T01:44:45.123Z","level":"info","event":"started","workers":2,"io":"uring"}
 *
 * Thread: log_init() before the first thread, log_event() from any.
 * A line has at most LOG_LINE_BYTES_MAX bytes. What does not fit is cut, and the line says truncated=true.
 * Quotes, control bytes (C1 too) and ill-formed UTF-8 are escaped, so whatever is logged makes one valid line.
 * Errors: a line that standard error does not take is lost, because logging must not stop a thread.
 * Low layers return errors and do not log. Never pass a secret. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_BYTES_MAX 2048

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
    const char *name; /* a literal, plain letters */
    const char *text; /* NULL when the number is the value */
    size_t text_bytes;
    int64_t number;
};

void log_init(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);
/* Writes one line, unless `level` is off. `event` is a literal, plain letters. The last field has the name NULL. The
 * macros LOG_ERROR() to LOG_DEBUG() add it. */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

struct log_field log_str(const char *name, const char *text);
struct log_field log_bytes(const char *name, const char *text, size_t bytes);
struct log_field log_num(const char *name, int64_t number);
struct log_field log_err(int negative_errno); /* err=ECONNREFUSED */

#define LOG_AT(level, event, ...) log_event((level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
