#pragma once
/* What to do when the server refuses a batch or an arm with an error of some class. Nothing was applied.
 *
 * Thread: pure functions. */

#include "protocol/redis_error.h"
#include "protocol/words.h"

enum refusal_action {
    REFUSAL_NONE,
    REFUSAL_PAUSE,     /* send the same bytes after a back-off, because the server will be able to, or its slot comes to
                          rest */
    REFUSAL_REMAP,     /* look at the map, and back off until then, because the slot may belong to another node */
    REFUSAL_RECONNECT, /* resolve the name and greet again, because another server or another login may do */
};

enum refusal_action refusal_action(enum redis_error_class c);
/* Says in a sentence what an administrator can do about it. `iam` is true when the password is MemoryDB's IAM. */
const char *refusal_advice(enum redis_error_class c, bool iam);

/* In whoever may be refused, and for one reason at a time. Zeroed, it is not. */
struct refused {
    enum redis_error_class why; /* what nodes/refusals.h was told */
    const char *command;        /* what was noted last: a literal, and the server's words */
    char words[WORDS_BYTES];
};

/* Keeps what was refused until it is told. */
void refused_note(struct refused *who, const char *command, struct slice text);
