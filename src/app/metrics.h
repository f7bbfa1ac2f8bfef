#pragma once
/* The page /metrics: Prometheus text format 0.0.4, from the table in metrics.c. */

#include "app/sources.h"
#include "base/buf.h"

void metrics_print(const struct sources *s, struct buf *out);
/* The table of all metrics in README.md. */
void metrics_print_markdown(struct buf *out);
