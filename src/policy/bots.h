#pragma once
/* Programs whose hits are no visits, told by their User-Agent. A file has the words, one a line. Each may stand
 * anywhere in the field, in any case. # begins a comment line.
 *
 * Thread: made by main, then read only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

#define BOTS_MAX 2048

struct bots;

/* Takes `text` over and frees it, also when it fails. 0, or -EINVAL and -ENOMEM with a sentence. */
int bots_create(struct bots **out, char *text, struct error *err);
uint32_t bots_count(const struct bots *b);
void bots_destroy(struct bots *b); /* NULL is allowed */
/* One step a byte of the field's first 512, whatever stands in it and however many words there are. */
bool bots_know(const struct bots *b, struct slice user_agent);
