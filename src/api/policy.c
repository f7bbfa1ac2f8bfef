#include "api/policy.h"

#include <stdlib.h>

void policy_destroy(struct policy *p)
{
    if (!p)
        return;
    tokens_destroy(p->tokens);
    free(p);
}
