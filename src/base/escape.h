#pragma once
/* Text that others chose, written so that a program can read it back. There is one function for each language, so that
 * no emitter has its own. Log lines are escaped in base/log.c, and JSON of answers in forms/json.h.
 *
 * Thread: any.
 * Errors: those of `out` (base/buf.h). */

#include "base/buf.h"
#include "base/slice.h"

/* Appends the value of a label of Prometheus' text format 0.0.4. \\, \" and \n are escaped. Other control characters,
 * and what is no UTF-8, become U+FFFD, because a scrape that holds them is refused as a whole. */
void escape_label(struct buf *out, struct slice text);
/* Takes the next character off `*text`, which must not be empty. Returns it as XML 1.0 allows it (production 2, but no
 * controls at all), or U+FFFD in its place. */
struct slice escape_xml_take(struct slice *text);
/* Appends text, or the value of an attribute, of XML, SVG or HTML. & < > " ' become references. */
void escape_xml(struct buf *out, struct slice text);
