#pragma once
/* What a server did about a command, without the words of its protocol. nodes/outcomes.h makes it of a reply.
 *
 * Thread: plain values. */

#include "base/redis_error.h"
#include "base/slice.h"

enum outcome_kind {
    OUTCOME_DONE,    /* as it was asked. Of a key that is looked at: it holds an integer, or nothing */
    OUTCOME_NONE,    /* There is no such key. Of EXEC: its WATCH was broken, and nothing was executed */
    OUTCOME_TEXT,    /* what the key holds */
    OUTCOME_REFUSED, /* nothing was done */
    OUTCOME_STRANGE, /* no answer to what was asked */
};

struct outcome {
    enum outcome_kind kind;
    /* OUTCOME_REFUSED: the reason. OUTCOME_DONE of EXEC: why its last command, the SET of the ledger, was refused. */
    enum redis_error_class why;
    struct slice text; /* what the key holds, or the server's words about the refusal; valid during the call */
};
