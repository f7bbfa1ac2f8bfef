#pragma once
/* Comma-separated values (RFC 4180): counters out, records in.
 *
 * Thread: pure functions.
 * What is read may be of other programs. Lines end with CRLF or LF. A field with a comma, a quote or a line end in it
 * is quoted, and a quote in it stands twice. A first line is a header when a program says so. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define CSV_FIELDS_MAX 32 /* further ones are dropped */

/* Appends "ns,key,value" and CRLF, of an internal name. */
void csv_append_counter(struct buf *b, struct slice name, int64_t value);

struct csv_record {
    struct slice fields[CSV_FIELDS_MAX]; /* in the bytes that were read, unquoted there */
    uint32_t count;
    size_t bytes; /* of the record, with its line end */
};

/* Reads the record at the front of `text`. Quoted fields are changed in place, so each record is read once only.
 * Returns 1, or 0 when its end is not there and `last` does not say that nothing follows, or -EINVAL when a quote is
 * not closed or stands within a field. An empty line is a record of no fields. */
int csv_read(char *text, size_t bytes, bool last, struct csv_record *out);
