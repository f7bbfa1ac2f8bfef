#pragma once
/* What a server did about a command, without the words of its protocol. nodes/outcomes.h makes it of a reply.
 *
 * Thread: plain values. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "protocol/redis_error.h"

enum outcome_kind {
    OUTCOME_DONE,    /* It was done as asked. A key that is looked at holds an integer, or nothing */
    OUTCOME_NONE,    /* There is no such key. EXEC had its WATCH broken, and nothing was executed */
    OUTCOME_TEXT,    /* what the key holds */
    OUTCOME_REFUSED, /* nothing was done */
    OUTCOME_STRANGE, /* no answer to what was asked */
};

struct outcome {
    enum outcome_kind kind;
    /* The reason of OUTCOME_REFUSED. With OUTCOME_DONE of EXEC it is why the last command, the SET of the ledger, was
     * refused. */
    enum redis_error_class why;
    struct slice text; /* what the key holds, or the server's words about the refusal. Valid during the call */
    bool counted;      /* The key that was looked at holds `number`. With OUTCOME_DONE alone */
    int64_t number;
};
