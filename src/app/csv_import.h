#pragma once
/* tallyd --import FILE brings the counters of a file into the store, each by the fenced write that PUT /v1/counters
 * makes.
 *
 * Thread: main.
 * Writes are in order, IMPORT_UNDER_WAY of them at once. FILE.progress says how many rows are done, so that an import
 * that ended early can go on. It is removed after the last row.
 *
 * Failure modes:
 *   - The store does not take a write: it is tried again. After IMPORT_PATIENCE_MS without any progress the import
 *     ends, and can go on later.
 *   - A row is no counter: it is skipped and told. */

#include "config/options.h"

#define IMPORT_UNDER_WAY 64
#define IMPORT_PATIENCE_MS 60000

int csv_import_run(const struct options *options); /* an enum app_exit */
