#pragma once
/* The server's own words in an error reply, as far as they may be repeated in a log.
 *
 * Thread: pure functions.
 * Servers repeat the arguments of commands that they do not know, and AUTH is such a command somewhere. So what follows
 * "with args" is cut off, and words that hold a piece of the secret of their connection are not repeated at all. */

#include "base/buf.h"

#define WORDS_BYTES 192

/* The first line of an error reply, cut to fit. */
void words_take(char out[WORDS_BYTES], struct slice text);
/* Do they hold a piece of it, in any case of letters? A piece is half of it, but 4 to 8 bytes. A shorter secret must be
 * there as a whole. */
bool words_reveal(const char *words, struct slice secret);
void words_forget(struct buf *secret); /* overwritten, then freed */
