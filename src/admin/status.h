#pragma once
/* The pages /statusz (what is going on) and /configz (the effective options, secrets masked), as JSON.
 *
 * Thread: the admin worker's. */

#include "admin/sources.h"
#include "base/buf.h"

void status_print(const struct sources *s, struct buf *out);
/* What the dashboard shows beside both and /metrics. */
void status_print_ranking(const struct sources *s, struct buf *out);
void status_print_config(const struct sources *s, struct buf *out);
const char *life_name(enum life life);
