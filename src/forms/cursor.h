#pragma once
/* Where a walk through names stands, as a text for clients, of hex numbers with dots between. It is opaque to them, and
 * any text of that form is safe (owed/scan.h).
 *
 * Thread: pure functions. */

#include <stdbool.h>

#include "base/buf.h"
#include "flush/mailbox.h"

void cursor_append(struct buf *b, const struct scan_place *place);
/* Returns false when cursor_append() writes no such text. */
bool cursor_read(struct slice text, struct scan_place *place);
