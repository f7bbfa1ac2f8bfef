/* Planted: a store that never had the ledger is taken for one whose ledger was deleted. */
#include "redis/link.h"

uint64_t __wrap_link_lineage(const struct link *l);

uint64_t __wrap_link_lineage(const struct link *l)
{
    (void)l;
    return 0;
}
