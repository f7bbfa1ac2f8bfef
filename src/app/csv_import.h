#pragma once
/* tallyd --import FILE: counters of a file into the store, each by the fenced write that PUT /v1/counters makes.
 *
 * Thread: main.
 * Writes are in order, IMPORT_UNDER_WAY of them at once. FILE.progress says how many rows are done, so that an import
 * that ended early goes on; it goes with the last row. Failure modes: the store does not take a write: it is tried
 * again, for IMPORT_PATIENCE_MS without any progress; then the import ends and can be gone on with. A row that is no
 * counter is skipped and told. */

#include "app/options.h"

#define IMPORT_UNDER_WAY 64
#define IMPORT_PATIENCE_MS 60000

int csv_import_run(const struct options *options); /* an enum app_exit */
