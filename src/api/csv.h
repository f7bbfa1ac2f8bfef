#pragma once
/* Comma-separated values (RFC 4180): counters out, records in.
 *
 * Thread: pure functions.
 * What is read may be of other programs: lines end with CRLF or LF, a field with a comma, a quote or a line end in it
 * is quoted, and a quote in it stands twice. A first line is a header when a program says so. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define CSV_FIELDS_MAX 32 /* more are read over */

/* "ns,key,value" and CRLF, of an internal name. */
void csv_append_counter(struct buf *b, struct slice name, int64_t value);

struct csv_record {
    struct slice fields[CSV_FIELDS_MAX]; /* in the bytes that were read, unquoted there */
    uint32_t count;
    size_t bytes; /* of the record, with its line end */
};

/* The record at the front of `text`, which is changed where fields are quoted: to be read once. 1; 0: its end is not
 * there, and `last` does not say that nothing follows; -EINVAL: a quote is not closed, or stands within a field. An
 * empty line is a record of no fields. */
int csv_read(char *text, size_t bytes, bool last, struct csv_record *out);
