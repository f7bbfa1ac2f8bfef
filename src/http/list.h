#pragma once
/* Fields whose value is a comma-separated list (RFC 9110 sections 5.3 and 5.6.1). However many lines it came in, it is
 * one list, and an empty element is none.
 *
 * The slice of such a field reaches from its first line's value to its last one's, with whatever fields lie between
 * them, so that it costs a request nothing that nobody reads it.
 *
 * Thread: pure functions. */

#include "http/request.h"

/* Takes the next element of one line's value, trimmed. Returns false at the end. It knows no quotes. */
bool list_next(struct slice *rest, struct slice *element);

/* What is left of a list that is taken from its end. `rest` starts as request.field[field]. */
struct list {
    struct slice rest;
    enum http_field field;
};

/* Takes the last element off, trimmed. Returns false when none is left. A comma between quotes separates nothing. */
bool list_last_take(struct list *list, struct slice *element);

/* Returns the value of `name` (lower case) in an element of the form name=value;name="value" (RFC 7239 section 4),
 * without its quotes. Its `at` is NULL when it is not there. */
struct slice list_parameter(struct slice element, struct slice name);
