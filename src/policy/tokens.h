#pragma once
/* Bearer tokens (RFC 6750) and what each may do, from the text of a file.
 *
 *   # comment
 *   Zm9vYmFyYmF6cXV4MTIz      write          may write counters, in every namespace
 *   c29tZSBvdGhlciB0b2tlbg==  write:blog hit may write those of "blog", and hit where hits need a token
 *   bm9jaCBlaW4gdG9rZW4uLg==  read:blog      may see which keys "blog" has: lists, exports
 *
 * A right must be named, so that a line that was cut short gives none (base/lines.h says what a whole text is).
 *
 * Thread: made by main, then read only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

#define TOKEN_BYTES_MIN 16 /* shorter ones can be guessed */
#define TOKEN_BYTES_MAX 256
#define TOKENS_MAX 64

struct tokens;
struct token;

enum token_right { TOKEN_WRITE, TOKEN_HIT, TOKEN_READ };
enum token_verdict {
    TOKEN_GOOD,
    TOKEN_MISSING, /* no Authorization: Bearer */
    TOKEN_UNKNOWN,
    TOKEN_NOT_ENOUGH, /* it may not do this, or not in this namespace */
};

/* Cuts `text` into pieces. Returns 0, or -EINVAL or -ENOMEM with a sentence that has the line's number and nothing of
 * it.
 */
int tokens_create(struct tokens **out, char *text, struct error *err);
uint32_t tokens_count(const struct tokens *t);
void tokens_destroy(struct tokens *t); /* Wipes it. NULL is allowed */
/* `authorization` is the field's value, with at == NULL when there is none. A wrong token takes as long as a right one,
 * so it is not told how much of it was right. */
enum token_verdict tokens_check(const struct tokens *t, struct slice authorization, enum token_right right,
                                struct slice ns);
/* Likewise, whatever it may do: TOKEN_GOOD, TOKEN_MISSING or TOKEN_UNKNOWN. */
enum token_verdict tokens_find(const struct tokens *t, struct slice authorization, const struct token **out);
/* With an empty `ns`: in every one. */
bool token_may(const struct token *t, enum token_right right, struct slice ns);
bool token_may_some(const struct token *t, enum token_right right); /* in some namespace at least */
