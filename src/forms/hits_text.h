#pragma once
/* The body of POST /v1/hits, cut into the texts of its items, so that one that is wrong costs no other.
 *
 * Only strings and brackets are looked at. An item may be no JSON, which its reader says. Pure, no allocation. */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct hits_text {
    struct slice items;    /* between the brackets of the array */
    size_t count;          /* of them */
    struct slice stranger; /* the name, in its quotes, of a member other than "hits". at == NULL when there is none */
};

/* Reads {"hits": […]}. Returns false when it is not one object with one such array, or a bracket or a quote has no end.
 */
bool hits_text_read(struct slice body, struct hits_text *out);
/* Gives the text of the next item. Returns false when there is none. */
bool hits_text_next(struct slice *items, struct slice *item);
