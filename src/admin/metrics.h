#pragma once
/* The page /metrics, in Prometheus text format 0.0.4 or OpenMetrics 1.0.0, from the table in metrics_table.h. */

#include <stdbool.h>

#include "admin/sources.h"
#include "base/buf.h"

void metrics_print(const struct sources *s, bool open_metrics, struct buf *out);
/* The table of all metrics in README.md. */
void metrics_print_markdown(struct buf *out);
