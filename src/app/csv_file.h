#pragma once
/* A file of counters to import, row by row: our own exports (ns,key,value), tables of other programs with such columns,
 * keys of Abacus as its Redis has them (K:namespace:key,value), and the page views that GoatCounter exports, which are
 * added up.
 *
 * Thread: main.
 * The first record tells the form. Rows come in one order, always the same, so an import that ended early goes on after
 * as many rows as are done. Failure modes: a row that is no counter is skipped and counted, and the first one told; a
 * file of no known form, or with a quote that is not closed, ends the import. */

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
    const char *ns;     /* of rows that name none; empty: there must be none such */
    uint32_t pages_max; /* distinct pages of GoatCounter */
};

struct csv_skipped {
    uint64_t rows;
    uint64_t first_line;   /* of the file, from 1; 0: none was skipped */
    const char *first_why; /* a sentence */
};

/* 0, or -errno with a sentence. GoatCounter's views are added up here. */
int csv_file_open(struct csv_file **out, const struct csv_file_config *config, struct error *err);
void csv_file_close(struct csv_file *f);                                       /* NULL is allowed */
int csv_file_next(struct csv_file *f, struct csv_row *row, struct error *err); /* 1; 0: the end; -errno */
void csv_skipped(const struct csv_file *f, struct csv_skipped *out);
/* What this file is, for the note of how far its import came: the same for the same beginning and length. */
uint64_t csv_file_identity(const struct csv_file *f);
