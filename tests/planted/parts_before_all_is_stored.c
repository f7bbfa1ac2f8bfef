/* Planted: a process that is to end deletes its ledgers at once, not when all is stored. */
#include "flush/core.h"

void __real_core_drain(struct core *c);
void __wrap_core_drain(struct core *c);

void __wrap_core_drain(struct core *c)
{
    __real_core_drain(c);
    core_try_part(c);
}
