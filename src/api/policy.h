#pragma once
/* Who may do what: made of files that main reads again when they change, one whole policy after the other.
 *
 * Thread: made by main, then read only. A worker looks at the one that it took last, so that a request needs no
 * shared word; main frees the one before when every worker has taken the new one (api_publish()). */

#include "api/tokens.h"

struct policy {
    struct tokens *tokens; /* owned; NULL: nobody may write counters */
};

void policy_destroy(struct policy *p); /* NULL is allowed */
