#pragma once
/* A file of counters to import, row by row. It is one of our own exports (ns,key,value), a table of another program
 * with such columns, the keys of Abacus as its Redis has them (K:namespace:key,value), or the page views that
 * GoatCounter exports, which are added up.
 *
 * Thread: main.
 * The first record tells the form. Rows come in one order, always the same, so an import that ended early goes on after
 * as many rows as are done.
 *
 * Failure modes:
 *   - A row is no counter: it is skipped and counted, and the first one is told.
 *   - The file has no known form, or a quote in it is not closed: the import ends. */

#include <stdint.h>

#include "base/error.h"
#include "tally/name.h"

struct csv_file;

struct csv_row {
    char name[NAME_BYTES_MAX];
    uint16_t name_bytes;
    int64_t value;
};

struct csv_file_config {
    const char *path;
    const char *ns;     /* of rows that name none. When it is empty there must be no such row */
    uint32_t pages_max; /* distinct pages of GoatCounter */
};

struct csv_skipped {
    uint64_t rows;
    uint64_t first_line;   /* of the file, from 1, or 0 when none was skipped */
    const char *first_why; /* a sentence */
};

/* Returns 0, or -errno with a sentence. GoatCounter's views are added up here. */
int csv_file_open(struct csv_file **out, const struct csv_file_config *config, struct error *err);
void csv_file_close(struct csv_file *f);                                       /* NULL is allowed */
int csv_file_next(struct csv_file *f, struct csv_row *row, struct error *err); /* 1, 0 at the end, or -errno */
void csv_skipped(const struct csv_file *f, struct csv_skipped *out);
/* Identifies the file in the note of how far its import came. It is the same for the same beginning and length. */
uint64_t csv_file_identity(const struct csv_file *f);
