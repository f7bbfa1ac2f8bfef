#pragma once
/* Text that others chose, as it may stand in what is written for a program to read: one function a language, so that no
 * emitter has its own. Logfmt and JSON of log lines are in base/log.c, JSON of answers in api/json.h.
 *
 * Thread: any. */

#include "base/buf.h"
#include "base/slice.h"

/* The value of a label in Prometheus' text format 0.0.4: \\, \" and \n are escaped; what is no UTF-8, and other control
 * characters, become U+FFFD, since a scrape with them is refused as a whole. */
void escape_label(struct buf *out, struct slice text);
/* The next character of `*text`, which must not be empty, as it may stand in XML 1.0 (production 2, but no controls at
 * all); what may not becomes U+FFFD. Takes it off `*text`. */
struct slice escape_xml_take(struct slice *text);
/* Text or the value of an attribute in XML, SVG or HTML: & < > " ' become references. */
void escape_xml(struct buf *out, struct slice text);
