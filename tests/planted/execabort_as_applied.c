/* Planted: any answer to EXEC counts as its success. */
#include "ledger/partition.h"

int __real_partition_on_exec(struct partition *p, const struct reply *reply);
int __wrap_partition_on_exec(struct partition *p, const struct reply *reply);

int __wrap_partition_on_exec(struct partition *p, const struct reply *reply)
{
    struct chain *c = (struct chain *)p; /* a partition begins with it */

    if (reply->type != REPLY_ERROR)
        return __real_partition_on_exec(p, reply);
    accounts_applied_unseen(c->config.past.accounts, c->batch);
    c->batch = NULL;
    return 1;
}
