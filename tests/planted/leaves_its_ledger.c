/* Planted: a process that ends in order leaves its ledgers to time. */
#include "flush/core.h"

bool __real_core_try_part(struct core *c);
bool __wrap_core_try_part(struct core *c);

bool __wrap_core_try_part(struct core *c)
{
    (void)c;
    return true;
}
