/* Planted: a copy of a live state directory is taken for the file of a process that has ended. */
#include "tally/state_old.h"

int __real_state_old_load(struct state_old *o, const struct state_disk *disk, struct error *err);
int __wrap_state_old_load(struct state_old *o, const struct state_disk *disk, struct error *err);

int __wrap_state_old_load(struct state_old *o, const struct state_disk *disk, struct error *err)
{
    int failed = __real_state_old_load(o, disk, err);

    o->orderly = true;
    return failed;
}
